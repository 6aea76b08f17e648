// The network of the client for whom a resolver asks (RFC 7871 section 6).

export interface ClientSubnet {
  readonly family: 0 | 1 | 2;
  /** The source prefix length. 0 if the answer must not depend on the client (section 7.1.2). */
  readonly bits: number;
  /** The received bytes, as many as the prefix needs. */
  readonly bytes: Buffer;
}

const addressBytes = { 0: 0, 1: 4, 2: 16 } as const;

/** Parses the option's data. Undefined if it is malformed (section 7.1.3, 7.2.1). */
export function readSubnet(packet: Buffer, from: number, to: number): ClientSubnet | undefined {
  if (to - from < 4) return undefined;
  const family = packet.readUInt16BE(from);
  const bits = packet[from + 2] as number;
  const bytes = packet.subarray(from + 4, to);
  if (family > 2) return undefined;
  const known = family as ClientSubnet['family'];
  // Only the server may set the scope.
  if (bits > addressBytes[known] * 8 || packet[from + 3] !== 0) return undefined;
  if (bytes.length !== Math.ceil(bits / 8)) return undefined;
  const beyond = (bytes.at(-1) ?? 0) & (0xff >> (bits % 8 || 8));
  return beyond === 0 ? { family: known, bits, bytes } : undefined;
}

/** The network's first address. */
export function addressOfSubnet({ family, bytes }: ClientSubnet): Buffer {
  const whole = Buffer.alloc(addressBytes[family]);
  bytes.copy(whole);
  return whole;
}

/** RFC 7871 section 6: a scope has at most the bits of the family. */
export function subnetScope({ family, bits }: ClientSubnet, scopeBits: number): number {
  return bits === 0 ? 0 : Math.min(scopeBits, addressBytes[family] * 8);
}
