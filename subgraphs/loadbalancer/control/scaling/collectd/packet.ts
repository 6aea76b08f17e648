// collectd's binary network protocol (collectd wiki, "Binary protocol"; src/network.c of collectd 5.12): a packet is a list of parts, each
// with a type and a length. A signature part covers what follows it; an encrypted part contains parts.
import { createDecipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto';

const securityLevels = ['none', 'sign', 'encrypt'] as const;
export type SecurityLevel = (typeof securityLevels)[number];

interface CollectdValue {
  readonly type: 'COUNTER' | 'GAUGE' | 'DERIVE' | 'ABSOLUTE';
  readonly value: number;
}

/** The values of one identifier at one time. */
export interface CollectdReading {
  readonly host: string;
  /** PLUGIN[-INSTANCE]/TYPE[-INSTANCE]. */
  readonly name: string;
  readonly atMs: number;
  readonly intervalMs: number;
  readonly values: readonly CollectdValue[];
}

interface PacketRules {
  /** Readings with less protection are dropped. */
  readonly level: SecurityLevel;
  /** By user. Undefined if the user is unknown. */
  readonly passwordOf: (user: string) => string | undefined;
}

interface ReadPacket {
  readonly readings: readonly CollectdReading[];
  /** Why part of the packet was refused. Undefined if nothing was. */
  readonly refused?: string;
}

/** Larger packets are not read. */
const mostPacketBytes = 16_384;
const mostReadings = 1_000;

const partTypes = { host: 0, time: 1, plugin: 2, pluginInstance: 3, type: 4, typeInstance: 5, values: 6, interval: 7 };
const timeHighResolution = 8;
const intervalHighResolution = 9;
const signature = 0x02_00;
const encryption = 0x02_10;
const headBytes = 4;
const hmacBytes = 32;
const sha1Bytes = 20;
const ivBytes = 16;
/** Two to the power of -30 seconds. */
const highResolution = 2 ** 30;
const valueTypes = ['COUNTER', 'GAUGE', 'DERIVE', 'ABSOLUTE'] as const;

class Refused extends Error {}

export function readPacket(packet: Buffer, rules: PacketRules): ReadPacket {
  const readings: CollectdReading[] = [];
  try {
    if (packet.length > mostPacketBytes) throw new Refused(`${packet.length} bytes are too many`);
    readParts(packet, rules, 'none', readings);
    return { readings };
  } catch (error) {
    if (error instanceof Refused) return { readings, refused: error.message };
    throw error;
  }
}

interface Identifier {
  host: string;
  plugin: string;
  pluginInstance: string;
  type: string;
  typeInstance: string;
  atMs: number;
  intervalMs: number;
}

/** `protection`: how these bytes are protected. */
function readParts(bytes: Buffer, rules: PacketRules, protection: SecurityLevel, readings: CollectdReading[]): void {
  const now: Identifier = {
    ...{ host: '', plugin: '', pluginInstance: '', type: '', typeInstance: '', atMs: 0, intervalMs: 10_000 },
  };
  let protectedBy = protection;
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < headBytes) throw new Refused('it ends within a part');
    const type = bytes.readUInt16BE(at);
    const length = bytes.readUInt16BE(at + 2);
    if (length < headBytes || at + length > bytes.length)
      throw new Refused('a part is longer than the packet, or empty');
    const body = bytes.subarray(at + headBytes, at + length);
    at += length;
    if (type === encryption) {
      if (protection === 'encrypt') throw new Refused('it is encrypted twice');
      readParts(decrypted(body, rules), rules, 'encrypt', readings);
    } else if (type === signature) {
      if (protection !== 'encrypt' && isSignedBy(body, bytes.subarray(at), rules)) protectedBy = 'sign';
    } else if (type === partTypes.values) {
      if (securityLevels.indexOf(protectedBy) < securityLevels.indexOf(rules.level))
        throw new Refused(`it has values that are not ${rules.level === 'sign' ? 'signed' : 'encrypted'}`);
      if (readings.length >= mostReadings) throw new Refused('it has too many values');
      readings.push(readingOf(now, valuesOf(body)));
    } else readField(now, type, body);
  }
}

function readField(now: Identifier, type: number, body: Buffer): void {
  switch (type) {
    case partTypes.host:
      now.host = textOf(body);
      break;
    case partTypes.plugin:
      now.plugin = textOf(body);
      break;
    case partTypes.pluginInstance:
      now.pluginInstance = textOf(body);
      break;
    case partTypes.type:
      now.type = textOf(body);
      break;
    case partTypes.typeInstance:
      now.typeInstance = textOf(body);
      break;
    case partTypes.time:
      now.atMs = numberOf(body) * 1_000;
      break;
    case timeHighResolution:
      now.atMs = (numberOf(body) / highResolution) * 1_000;
      break;
    case partTypes.interval:
      now.intervalMs = numberOf(body) * 1_000;
      break;
    case intervalHighResolution:
      now.intervalMs = (numberOf(body) / highResolution) * 1_000;
      break;
    // Skips notifications, and parts of later versions.
    default:
  }
}

function readingOf(now: Identifier, values: readonly CollectdValue[]): CollectdReading {
  const { host, plugin, pluginInstance, type, typeInstance, atMs, intervalMs } = now;
  const joined = (name: string, instance: string) => (instance === '' ? name : `${name}-${instance}`);
  return { host, name: `${joined(plugin, pluginInstance)}/${joined(type, typeInstance)}`, atMs, intervalMs, values };
}

/** Has a zero byte at the end. */
function textOf(body: Buffer): string {
  if (body.length === 0 || body.length > 128 || body.at(-1) !== 0) throw new Refused('a text is malformed');
  const text = body.toString('utf8', 0, body.length - 1);
  if (/\p{Cc}/u.test(text)) throw new Refused('a text has control characters');
  return text;
}

function numberOf(body: Buffer): number {
  if (body.length !== 8) throw new Refused('a number does not have 8 bytes');
  return Number(body.readBigUInt64BE());
}

/** A count, the types, then 8 bytes each: integers in network order, gauges as doubles in little-endian order. */
function valuesOf(body: Buffer): CollectdValue[] {
  if (body.length < 2) throw new Refused('values without a count');
  const count = body.readUInt16BE();
  if (body.length !== 2 + count * 9) throw new Refused('the number of values differs from the count');
  return Array.from({ length: count }, (_, index) => {
    const type = valueTypes[body[2 + index] ?? -1];
    const at = 2 + count + index * 8;
    if (type === undefined) throw new Refused('a value of an unknown type');
    const signed = type === 'DERIVE' ? body.readBigInt64BE(at) : body.readBigUInt64BE(at);
    return { type, value: type === 'GAUGE' ? body.readDoubleLE(at) : Number(signed) };
  });
}

/** HMAC-SHA256, then the user; it covers the user and everything after. False if it can't be checked and need not be. */
function isSignedBy(body: Buffer, rest: Buffer, { level, passwordOf }: PacketRules): boolean {
  if (body.length <= hmacBytes) throw new Refused('a signature is too short');
  const user = body.subarray(hmacBytes);
  const password = passwordOf(user.toString('utf8'));
  if (password === undefined) {
    if (level === 'none') return false;
    throw new Refused('it is signed by an unknown user');
  }
  const hmac = createHmac('sha256', password).update(user).update(rest).digest();
  if (!timingSafeEqual(hmac, body.subarray(0, hmacBytes))) throw new Refused('its signature is wrong');
  return true;
}

/** The user with its length, 16 bytes of initialisation vector; then, in AES-256 in OFB mode, the SHA-1 of the parts, and the parts. */
function decrypted(body: Buffer, { passwordOf }: PacketRules): Buffer {
  if (body.length < 2) throw new Refused('an encrypted part is too short');
  const userBytes = body.readUInt16BE();
  const ivAt = 2 + userBytes;
  if (body.length < ivAt + ivBytes + sha1Bytes) throw new Refused('an encrypted part is too short');
  const password = passwordOf(body.toString('utf8', 2, ivAt));
  if (password === undefined) throw new Refused('it is encrypted by an unknown user');
  const key = createHash('sha256').update(password).digest();
  const cipher = createDecipheriv('aes-256-ofb', key, body.subarray(ivAt, ivAt + ivBytes));
  const plain = Buffer.concat([cipher.update(body.subarray(ivAt + ivBytes)), cipher.final()]);
  const parts = plain.subarray(sha1Bytes);
  if (!timingSafeEqual(createHash('sha1').update(parts).digest(), plain.subarray(0, sha1Bytes)))
    throw new Refused('its checksum is wrong: another password?');
  return parts;
}
