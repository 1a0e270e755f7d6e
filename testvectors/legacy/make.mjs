// Makes sealed-texts.jsonl: refresh tokens sealed as programs of this family do it, by Node's own crypto module.
//
//     node make.mjs > sealed-texts.jsonl
//
// Salts and ivs are made from the number of the case, so that the file comes out the same each time.
import { createCipheriv, createHash, pbkdf2Sync, scryptSync } from 'node:crypto'

const secret = '8f3a'.repeat(16) // 64 hexadecimal digits, which are base64 too
const layouts = [
  ['salt', 'iv', 'tag', 'data'],
  ['iv', 'salt', 'tag', 'data'],
  ['salt', 'iv', 'data', 'tag'],
  ['iv', 'tag', 'salt', 'data'],
  ['data', 'tag', 'iv', 'salt'],
]
let number = 0

const random = (what, length) => {
  const blocks = [0, 1].map((block) => createHash('sha256').update(`${what} ${block} of case ${number}`).digest())
  return Buffer.concat(blocks).subarray(0, length)
}

const secretBytes = (form) => Buffer.from(secret, form)

const keys = {
  'gcm-raw': () => ({ name: 'gcm-raw', key: () => Buffer.from(secret, 'hex') }),
  'gcm-scrypt': (form) => ({
    name: `gcm-scrypt,n=16384,r=8,p=1,secret=${form}`,
    key: (salt) => scryptSync(secretBytes(form), salt, 32, { N: 16384, r: 8, p: 1 }),
  }),
  'gcm-pbkdf2-sha256': (form) => ({
    name: `gcm-pbkdf2,hash=sha256,iterations=100000,secret=${form}`,
    key: (salt) => pbkdf2Sync(secretBytes(form), salt, 100000, 32, 'sha256'),
  }),
  'gcm-pbkdf2-sha512': (form) => ({
    name: `gcm-pbkdf2,hash=sha512,iterations=100000,secret=${form}`,
    key: (salt) => pbkdf2Sync(secretBytes(form), salt, 100000, 32, 'sha512'),
  }),
}

const seal = ({ profile, saltLength, ivLength, layout, text, outer }) => {
  number += 1
  const salt = random('salt', saltLength)
  const iv = random('iv', ivLength)
  const token = `refresh-${number}-\u00e9`
  const cipher = createCipheriv('aes-256-gcm', profile.key(salt), iv)
  const data = Buffer.concat([cipher.update(token, 'utf8'), cipher.final()])
  const parts = { salt, iv, tag: cipher.getAuthTag(), data }
  let sealed = layout.map((part) => parts[part].toString(text)).join(':')
  if (outer) sealed = Buffer.from(sealed).toString('base64')
  const form = `${profile.name},parts=${layout.join(':')},text=${text}`
  console.log(JSON.stringify({ form, secret, sealed, token }))
}

const withoutSalt = (layout) => layout.filter((part) => part !== 'salt')

for (const kind of Object.keys(keys)) {
  for (const form of kind === 'gcm-raw' ? ['hex'] : ['utf8', 'hex', 'base64']) {
    const profile = keys[kind](form)
    for (const saltLength of [16, 32, 64]) {
      for (const ivLength of [12, 16]) {
        const all = layouts[number % layouts.length]
        const layout = kind === 'gcm-raw' && saltLength !== 64 ? withoutSalt(all) : all
        seal({
          profile, saltLength, ivLength, layout,
          text: number % 3 === 2 ? 'hex' : 'base64',
          outer: number % 4 === 3,
        })
      }
    }
  }
}
