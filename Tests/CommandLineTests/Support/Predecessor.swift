import Foundation
import Glibc
import Testing

/// The programs that rows come from: Python with its sqlite3 module and the package cryptography, the sqlite3 command line, and
/// PostgreSQL.
enum Predecessor {
  static let python = "/usr/bin/python3"
  static let sqlite = "/usr/bin/sqlite3"

  /// Whether tables of sealed tokens can be made here and printed.
  static let hasSQLite: Bool = {
    guard FileManager.default.isExecutableFile(atPath: sqlite), let bench = try? Bench(withVault: false) else {
      return false
    }
    return (try? bench.run(program: python, "-c", "import cryptography, sqlite3").code) == 0
  }()

  /// What prints the table of tokens as lines.
  static let query = """
    select json_object('user_id', user_id, 'encrypted_data', hex(encrypted_data), 'iv', hex(iv), \
    'created_at', created_at, 'updated_at', updated_at) from tokens
    """

  /// A table of tokens as the predecessor made it, 64 hexadecimal digits of its key, and what is in it.
  static let tokens = """
    import json, os, sqlite3, sys
    from cryptography.hazmat.primitives import padding
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    folder = sys.argv[1]
    key = os.urandom(32)
    with open(os.open(folder + "/legacy.key", os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(key.hex() + "\\n")
    database = sqlite3.connect(folder + "/tokens.db")
    database.execute('''create table tokens (user_id TEXT PRIMARY KEY, encrypted_data BLOB NOT NULL, iv BLOB NOT NULL,
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)''')

    def seal(text):
        padder, iv = padding.PKCS7(128).padder(), os.urandom(16)
        padded = padder.update(text.encode("utf-8")) + padder.finalize()
        encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
        return encryptor.update(padded) + encryptor.finalize(), iv

    tokens = {f"user-{n}@example.com": {"access_token": f"at-{n}", "refresh_token": f"rt-{n}", "expires_at": 1790000000 + n,
        "scope": "identity read", "token_type": "bearer"} for n in range(300)}
    tokens["o'brien \\"x\\" \\u00e9\\u4e2d"] = {"access_token": "nul\\u0000inside", "refresh_token": "\\u2028\\ud83d\\ude00"}
    tokens["large"] = {"access_token": "x" * (1048576 - 100)}
    times = [(None, None), ("2024-01-31 12:34:56", "2024-02-01 00:00:00.250"), (1706704496, 1706745600.25),
        ("2024-01-31T12:34:56+00:00", "2024-02-01T01:00:00.250000+01:00"), ("1969-12-31 23:59:59", "9999-12-31 23:59:59")]
    micros = [(None, None)] + 3 * [(1706704496000000, 1706745600250000)] + [(-1000000, 253402300799000000)]
    expected = {}
    for number, (user, token) in enumerate(tokens.items()):
        text = json.dumps(token)
        database.execute("insert into tokens values (?, ?, ?, ?, ?)", (user, *seal(text), *times[number % 5]))
        expected[user] = {"token": text, "created": micros[number % 5][0], "updated": micros[number % 5][1]}
    database.commit()
    json.dump(expected, open(folder + "/expected.json", "w"))
    """
}

extension Bench {
  /// Runs another program, and waits for its end.
  @discardableResult
  func run(program: String, _ arguments: String..., input: [UInt8] = []) throws -> Outcome {
    var call = Call(arguments)
    (call.program, call.input) = (program, .bytes(input))
    return try run(call)
  }

  /// Runs a script in Python, with the bench's folder as its first argument.
  @discardableResult
  func python(_ script: String, _ arguments: String..., input: [UInt8] = []) throws -> Outcome {
    var call = Call(["-c", script, folder] + arguments)
    (call.program, call.input) = (Predecessor.python, .bytes(input))
    let outcome = try run(call)
    try #require(outcome.code == 0, "\(outcome.errors)")
    return outcome
  }

  /// Runs the command with these bytes on its standard input.
  func run(_ arguments: [String], input: [UInt8]) throws -> Outcome {
    var call = Call(arguments)
    call.input = .bytes(input)
    return try run(call)
  }
}

/// A PostgreSQL server of its own, in a folder of its own, behind a socket in that folder; it goes away with the value.
final class PostgresCluster {
  private let folder: String
  private let programs: String
  private let bench: Bench

  /// Where initdb and pg_ctl are; `nil` without PostgreSQL, or without the user that it may run as.
  static let programs: String? = {
    let root = "/usr/lib/postgresql"
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
    let folder = versions.map { "\(root)/\($0)/bin" }.first {
      FileManager.default.isExecutableFile(atPath: $0 + "/initdb")
    }
    let isUserThere = unsafe getpwnam("postgres") != nil
    guard geteuid() != 0 || isUserThere else { return nil }
    return FileManager.default.isExecutableFile(atPath: "/usr/bin/psql") ? folder : nil
  }()

  init(_ bench: Bench) throws {
    self.bench = bench
    programs = try #require(Self.programs)
    // The name of a socket has 107 bytes at most.
    folder = "/tmp/tv-pg-\(UUID().uuidString.prefix(8))"
    try #require(unsafe mkdir(folder, 0o700) == 0)
    if geteuid() == 0, let user = unsafe getpwnam("postgres") {
      try #require(unsafe chown(folder, user.pointee.pw_uid, user.pointee.pw_gid) == 0)
    }
    let made = try server(
      "initdb", "-D", folder + "/data", "-A", "trust", "-U", "postgres", "-N", "-E", "UTF8", "--locale=C")
    try #require(made.code == 0, "\(made.errors)")
    let options = "-k \(folder) -c listen_addresses= -c fsync=off -c timezone=Asia/Kolkata"
    let started = try server("pg_ctl", "-D", folder + "/data", "-w", "-l", folder + "/log", "-o", options, "start")
    try #require(started.code == 0, "\(started.errors)")
  }

  deinit {
    _ = try? server("pg_ctl", "-D", folder + "/data", "-m", "immediate", "stop")
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// A program of the server, as the user that may run it.
  private func server(_ program: String, _ arguments: String...) throws -> Outcome {
    let words = [programs + "/" + program] + arguments
    guard geteuid() == 0 else {
      var call = Call(arguments)
      call.program = words[0]
      return try bench.run(call)
    }
    var call = Call(["--reuid=postgres", "--regid=postgres", "--clear-groups"] + words)
    call.program = "/usr/bin/setpriv"
    return try bench.run(call)
  }

  /// What psql prints, unaligned and without headings.
  func psql(_ query: String, input: [UInt8] = []) throws -> [UInt8] {
    var call = Call(["-h", folder, "-U", "postgres", "-d", "postgres", "-X", "-v", "ON_ERROR_STOP=1", "-At"])
    call.arguments += query.isEmpty ? [] : ["-c", query].map { Array($0.utf8) }
    (call.program, call.input) = ("/usr/bin/psql", .bytes(input))
    let outcome = try bench.run(call)
    try #require(outcome.code == 0, "\(outcome.errors)")
    return outcome.output
  }
}
