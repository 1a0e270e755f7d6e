import Glibc
import TokenVault

/// Standard output and standard error, without buffers and without losses.
///
/// `print` to a full disk reports nothing. Here each write is checked, so that a command that ended with 0 has said all.
enum Output {
  /// Writes `text` and a line end to standard output.
  static func line(_ text: String) throws(CommandFailure) { try write(text + "\n") }

  /// Writes `text` to standard output.
  static func write(_ text: String) throws(CommandFailure) {
    let bytes = Array(text.utf8)
    try write(bytes.span)
  }

  /// Writes `bytes` to standard output.
  ///
  /// - Throws: ``ExitCode/io``; without a sentence when the reader has gone.
  static func write(_ bytes: Span<UInt8>) throws(CommandFailure) {
    let number = write(bytes, to: STDOUT_FILENO)
    switch number {
    case 0: return
    case EPIPE: throw .silent(.io)
    case EBADF: throw CommandFailure(.io, "standard output is closed")
    default: throw CommandFailure(.io, "standard output can't be written: \(systemMessage(number))")
    }
  }

  /// Writes what `text` gives for each of `items` to standard output, as much at a time as is worth a system call.
  static func write<Item>(_ items: some Sequence<Item>, _ text: (Item) -> String) throws(CommandFailure) {
    var waiting = ""
    for item in items {
      waiting += text(item)
      guard waiting.utf8.count >= 1 << 16 else { continue }
      try write(waiting)
      waiting.removeAll(keepingCapacity: true)
    }
    if !waiting.isEmpty { try write(waiting) }
  }

  /// Writes `text` and a line end to standard error. Where that fails, nobody is left to be told.
  static func note(_ text: String) {
    let bytes = Array((text + "\n").utf8)
    _ = write(bytes.span, to: STDERR_FILENO)
  }

  /// Writes all of `bytes`; gives `errno`, or 0.
  static func write(_ bytes: Span<UInt8>, to descriptor: Int32) -> Int32 {
    unsafe bytes.withUnsafeBufferPointer { (buffer) in
      var written = 0
      while written < buffer.count {
        let result = unsafe Glibc.write(descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written)
        if result >= 0 {
          written += result
        } else if errno == EAGAIN {
          awaitRoom(on: descriptor)
        } else if errno != EINTR {
          return errno
        }
      }
      return 0
    }
  }

  /// A terminal or pipe that another program made non-blocking is waited for.
  private static func awaitRoom(on descriptor: Int32) {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    _ = unsafe poll(&waiting, 1, -1)
  }
}
