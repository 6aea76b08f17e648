// Signatures of DNS messages with a shared key (TSIG, RFC 8945), by HMAC with SHA-256 or SHA-512.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { classes, encodeRecord, type Message, types, type WireRecord } from './message.ts';
import { decodeName, encodeName, WireError } from './name.ts';

export interface TsigKey {
  readonly name: string;
  readonly algorithm: 'hmac-sha256' | 'hmac-sha512';
  readonly secret: Buffer;
}

/** RFC 8945 section 10: maximum difference between the clocks of both sides. */
export const fudgeSeconds = 300;

/** RFC 8945 section 3. */
export const tsigErrors = { BADSIG: 16, BADKEY: 17, BADTIME: 18 } as const;

interface SignedMessage {
  readonly bytes: Buffer;
  /** MAC of the signature, which the signature of the response covers. */
  readonly mac: Buffer;
}

interface Variables {
  readonly timeSigned: number;
  readonly fudge: number;
  readonly error: number;
  readonly other: Buffer;
}

/** `atSeconds` (Unix time): a server accepts the message until `fudgeSeconds` later. */
export function sign(message: Buffer, key: TsigKey, atSeconds: number): SignedMessage {
  const variables: Variables = { timeSigned: atSeconds, fudge: fudgeSeconds, error: 0, other: Buffer.alloc(0) };
  const mac = macOf(key, [message, variablesOf(key, variables)]);
  const id = message.subarray(0, 2);
  const record = encodeRecord({
    ...{ name: key.name, type: types.TSIG, class: classes.ANY, ttl: 0 },
    data: Buffer.concat([
      ...[encodeName(key.algorithm), uint48(atSeconds), uint16(fudgeSeconds), uint16(mac.length), mac],
      ...[id, uint16(0), uint16(0)],
    ]),
  });
  const bytes = Buffer.concat([message, record]);
  bytes.writeUInt16BE(bytes.readUInt16BE(10) + 1, 10);
  return { bytes, mac };
}

interface TsigAnswer {
  /** Whether the key signed the answer and our request. */
  readonly isValid: boolean;
  /** A TsigError, or 0. */
  readonly error: number;
  /** With BADTIME: the server's clock in Unix seconds. */
  readonly serverSeconds: number | undefined;
}

/** Checks the signature of the answer `bytes` to a request with the signature `requestMac`. Throws WireError. */
export function verify(
  bytes: Buffer,
  tsig: NonNullable<Message['tsig']>,
  key: TsigKey,
  requestMac: Buffer,
): TsigAnswer {
  const { algorithm, mac, originalId, ...variables } = decodeTsig(bytes, tsig);
  const { error, other, timeSigned } = variables;
  // RFC 8945 section 5.3.1: the message as it was before the TSIG record was added.
  const unsigned = Buffer.from(bytes.subarray(0, tsig.offset));
  unsigned.writeUInt16BE(originalId, 0);
  unsigned.writeUInt16BE(unsigned.readUInt16BE(10) - 1, 10);
  const wanted = macOf(key, [uint16(requestMac.length), requestMac, unsigned, variablesOf(key, variables)]);
  const isSame = tsig.name === key.name && algorithm === key.algorithm && mac.length === wanted.length;
  return {
    isValid: isSame && timingSafeEqual(mac, wanted),
    error,
    // RFC 8945 section 5.2.3. PowerDNS omits the time, and signs with its own time.
    serverSeconds: error !== tsigErrors.BADTIME ? undefined : other.length === 6 ? other.readUIntBE(0, 6) : timeSigned,
  };
}

function decodeTsig(bytes: Buffer, { data, offset }: WireRecord & { readonly offset: number }) {
  // Names in the TSIG data are not compressed, and end inside it.
  const { name: algorithm, next: at } = decodeName(data, 0);
  if (at + 16 > data.length) throw new WireError(`the TSIG at ${offset} of ${bytes.length} bytes is cut off`);
  const macEnd = at + 10 + data.readUInt16BE(at + 8);
  if (macEnd + 6 > data.length) throw new WireError('the MAC of the TSIG is cut off');
  const otherLength = data.readUInt16BE(macEnd + 4);
  if (macEnd + 6 + otherLength !== data.length) throw new WireError('the length field of the TSIG is wrong');
  return {
    algorithm,
    timeSigned: data.readUIntBE(at, 6),
    fudge: data.readUInt16BE(at + 6),
    mac: data.subarray(at + 10, macEnd),
    originalId: data.readUInt16BE(macEnd),
    error: data.readUInt16BE(macEnd + 2),
    other: data.subarray(macEnd + 6),
  };
}

/** RFC 8945 section 4.3.3. */
function variablesOf(key: TsigKey, { timeSigned, fudge, error, other }: Variables): Buffer {
  return Buffer.concat([
    ...[encodeName(key.name), uint16(classes.ANY), Buffer.alloc(4), encodeName(key.algorithm)],
    ...[uint48(timeSigned), uint16(fudge), uint16(error), uint16(other.length), other],
  ]);
}

function macOf({ algorithm, secret }: TsigKey, parts: readonly Buffer[]): Buffer {
  const hmac = createHmac(algorithm === 'hmac-sha256' ? 'sha256' : 'sha512', secret);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function uint48(value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(value, 0, 6);
  return bytes;
}
