// The cost of decrypting a private key. The file itself contains the number of hash rounds for its passphrase: one with "two
// thousand million" would block the process that opens it, for days.

/** `ssh-keygen -a 100` is the highest recommended value: about a second. */
const mostBcryptRounds = 100;
/** PBKDF2 (RFC 8018): half a second. */
const mostIterations = 1_000_000;
/** scrypt (RFC 7914): N × r × p, half a second. */
const mostScryptCost = 1_048_576;

const encryptedKey = /-----BEGIN (OPENSSH|ENCRYPTED) PRIVATE KEY-----([\s\S]*?)(?:-----END|$)/g;
const plainBase64 = /^[A-Za-z0-9+/\s]*={0,2}\s*$/;
const bcrypt = Buffer.from('\0\0\0\x06bcrypt', 'latin1');
/** 1.3.6.1.4.1.11591.4.11 */
const scryptOid = Buffer.from('06092b06010401da47040b', 'hex');

/** Why opening the key would take too long. Undefined if it would not, or if the text is not a key. */
export function keyCostFault(pem: string): string | undefined {
  for (const [, kind = '', body = ''] of pem.matchAll(encryptedKey)) {
    // Programs skip other characters, or end at them, in different ways: what one reads is not what another checks.
    if (!plainBase64.test(body)) return 'it is no plain PEM file: between BEGIN and END only base64 is allowed';
    const bytes = Buffer.from(body, 'base64');
    if (kind === 'OPENSSH') {
      const rounds = bcryptRounds(bytes);
      if (rounds === undefined) return 'it is cut off';
      if (rounds > mostBcryptRounds)
        return `its passphrase is hashed in ${rounds} rounds; at most ${mostBcryptRounds} are allowed (ssh-keygen -p -a 24 changes it)`;
    } else {
      const tooMuch = pkcs8Fault(bytes);
      if (tooMuch !== undefined) return `${tooMuch} (openssl pkcs8 -topk8 -iter 100000 changes it)`;
    }
  }
  return undefined;
}

/** PROTOCOL.key of OpenSSH: "openssh-key-v1", cipher, name of the hash, its options (salt, rounds). Undefined if it ends before. */
function bcryptRounds(bytes: Buffer): number | undefined {
  const at = bytes.indexOf(bcrypt);
  if (at < 0 || at > 256) return 0;
  const saltAt = at + bcrypt.length + 4;
  if (saltAt + 4 > bytes.length) return undefined;
  const roundsAt = saltAt + 4 + bytes.readUInt32BE(saltAt);
  return roundsAt + 4 > bytes.length ? undefined : bytes.readUInt32BE(roundsAt);
}

/** RFC 5958 EncryptedPrivateKeyInfo: the parameters of its algorithm determine the cost. */
function pkcs8Fault(der: Buffer): string | undefined {
  const outer = elementAt(der, 0);
  const algorithm = outer && elementAt(der, outer.from);
  if (algorithm === undefined) return undefined;
  const numbers = integersIn(der, algorithm.from, algorithm.to, 0);
  if (der.subarray(algorithm.from, algorithm.to).includes(scryptOid)) {
    const [n = 1, r = 1, p = 1] = numbers;
    const cost = n * r * p;
    if (cost > mostScryptCost)
      return `its passphrase is hashed by scrypt at a cost of ${cost}; at most ${mostScryptCost} is allowed`;
    return undefined;
  }
  const most = Math.max(0, ...numbers);
  if (most <= mostIterations) return undefined;
  return `its passphrase is hashed ${most} times; at most ${mostIterations} times are allowed`;
}

interface Element {
  readonly tag: number;
  readonly from: number;
  readonly to: number;
}

/** X.690: one element in definite form. Undefined if there is none. */
function elementAt(der: Buffer, at: number): Element | undefined {
  const [tag, first] = [der[at], der[at + 1]];
  if (tag === undefined || first === undefined) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const from = at + 2 + lengthBytes;
  if (lengthBytes > 4 || from > der.length) return undefined;
  const length = lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes);
  return { tag, from, to: Math.min(from + length, der.length) };
}

function integersIn(der: Buffer, from: number, to: number, depth: number): number[] {
  const found: number[] = [];
  for (let at = from; at < to; ) {
    const element = elementAt(der, at);
    if (element === undefined) break;
    if (element.tag === 0x02) found.push(numberOf(der.subarray(element.from, element.to)));
    else if (element.tag === 0x30 && depth < 8) found.push(...integersIn(der, element.from, element.to, depth + 1));
    at = element.to;
  }
  return found;
}

function numberOf(bytes: Buffer): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
