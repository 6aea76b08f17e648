// Server cookies (RFC 7873) in the form that all servers of a name can share (RFC 9018). A client that returns one has received
// an answer at its address. The previous secret stays valid, so a new one invalidates no cookie at once.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { sipHash24 } from './siphash.ts';

const clientBytes = 8;
const cookieBytes = 24;
/** RFC 9018 section 4.3. */
const validSeconds = 3_600;
const futureSeconds = 300;
const renewedAfterSeconds = 1_800;

export class ServerCookies {
  #secrets: readonly Buffer[];

  /** `secret`: 16 bytes, shared by servers that answer at one address. Default: a random one. */
  constructor(secret: Buffer = randomBytes(16)) {
    this.#secrets = [secret];
  }

  /** Uses this secret for new cookies. Cookies made with the previous one stay valid (RFC 9018 section 5). */
  rotate(secret: Buffer = randomBytes(16)): void {
    this.#secrets = [secret, ...this.#secrets.slice(0, 1)];
  }

  /** Whether the option's data has a cookie that we gave to this address within the hour. */
  isValid(cookie: Buffer, address: Buffer, atSeconds: number): boolean {
    const ageSeconds = ageOf(cookie, atSeconds);
    if (ageSeconds === undefined || ageSeconds > validSeconds || ageSeconds < -futureSeconds) return false;
    const hash = cookie.subarray(clientBytes + 8);
    return this.#secrets.some((secret) => timingSafeEqual(hash, hashOf(secret, cookie.subarray(0, 16), address)));
  }

  /** The option's data of an answer: the client's part, and a recent cookie. */
  answerTo(cookie: Buffer, isValid: boolean, address: Buffer, atSeconds: number): Buffer {
    if (isValid && (ageOf(cookie, atSeconds) ?? Number.POSITIVE_INFINITY) <= renewedAfterSeconds) return cookie;
    const answer = Buffer.alloc(cookieBytes);
    cookie.copy(answer, 0, 0, clientBytes);
    answer[clientBytes] = 1;
    answer.writeUInt32BE(atSeconds >>> 0, clientBytes + 4);
    hashOf(this.#secrets[0] as Buffer, answer.subarray(0, 16), address).copy(answer, 16);
    return answer;
  }
}

/** Age by serial number arithmetic (RFC 9018 section 4.3). Undefined if the cookie has another form. */
function ageOf(cookie: Buffer, atSeconds: number): number | undefined {
  if (cookie.length !== cookieBytes || cookie[clientBytes] !== 1) return undefined;
  return (atSeconds - cookie.readUInt32BE(clientBytes + 4)) | 0;
}

/** RFC 9018 section 4.4: hash over the client's part, version, reserved bytes, time, and the client's address. */
function hashOf(secret: Buffer, begin: Buffer, address: Buffer): Buffer {
  return sipHash24(secret, Buffer.concat([begin, address]));
}
