// The address that a query came from, as bytes.
import { addressBytes } from '../../../platform/net/address-block.ts';

export interface Peer {
  /** Canonical text; IPv4 is never mapped into IPv6. */
  readonly address: string;
  /** False over TCP, where the address can't be spoofed. */
  readonly udp: boolean;
}

/** 4 or 16 bytes. IPv4 is parsed by hand, because every question needs it. */
export function bytesOfAddress(address: string): Buffer {
  const [bytes, last] = [Buffer.allocUnsafe(4), address.length - 1];
  let [part, index] = [0, 0];
  for (let at = 0; at <= last; at += 1) {
    const code = address.charCodeAt(at);
    if (code === 0x2e) {
      bytes[index] = part;
      index += 1;
      part = 0;
    } else if (code >= 0x30 && code <= 0x39) part = part * 10 + code - 0x30;
    else return Buffer.from(addressBytes(address.split('%')[0] ?? '') ?? [0, 0, 0, 0]);
  }
  bytes[3] = part;
  return bytes;
}
