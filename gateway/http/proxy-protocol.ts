// The PROXY protocol, versions 1 and 2 (https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt): a proxy that forwards
// connections without reading them sends a header with the client's address before the first byte.

import { isIP, SocketAddress } from 'node:net';

/** Version 1 has at most 107 bytes. Version 2 may contain more than an address, up to this limit. */
const mostBytes = 2_048;
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const fixedBytes = 16;

interface ProxyHeader {
  /** Its length in bytes. The client's data follows. */
  readonly length: number;
  /** The client's address. Undefined if the proxy connects for itself, for example for a health check, or does not know it. */
  readonly address: string | undefined;
}

/** Undefined if more bytes are needed. Throws when the bytes can't become a header. */
export function readProxyHeader(bytes: Buffer): ProxyHeader | undefined {
  const begins = bytes.subarray(0, signature.length);
  if (begins.equals(signature.subarray(0, begins.length)) && bytes.length > 0) return readBinary(bytes);
  return readText(bytes);
}

const textPattern =
  /^PROXY (?:UNKNOWN(?: .*)?|TCP4 ([0-9.]{7,15}) [0-9.]{7,15} \d{1,5} \d{1,5}|TCP6 ([0-9a-fA-F:.]{2,45}) [0-9a-fA-F:.]{2,45} \d{1,5} \d{1,5})$/;
const longestText = 107;

function readText(bytes: Buffer): ProxyHeader | undefined {
  const text = bytes.subarray(0, longestText).toString('latin1');
  const end = text.indexOf('\r\n');
  if (end === -1) {
    if (bytes.length < longestText && 'PROXY '.startsWith(text.slice(0, 6))) return undefined;
    throw new Error('there is no PROXY protocol header');
  }
  const match = textPattern.exec(text.slice(0, end));
  if (match === null) throw new Error('there is no PROXY protocol header');
  const address = match[1] ?? match[2];
  if (address !== undefined && isIP(address) === 0) throw new Error('the PROXY protocol header has no address');
  return { length: end + 2, address };
}

function readBinary(bytes: Buffer): ProxyHeader | undefined {
  if (bytes.length < fixedBytes) return undefined;
  const [version, command] = [bytes.readUInt8(12) >> 4, bytes.readUInt8(12) & 0x0f];
  const family = bytes.readUInt8(13) >> 4;
  const length = fixedBytes + bytes.readUInt16BE(14);
  if (version !== 2 || command > 1) throw new Error('the PROXY protocol header has an unknown version or command');
  if (length > mostBytes)
    throw new Error(`the PROXY protocol header has ${length} bytes; at most ${mostBytes} are allowed`);
  if (bytes.length < length) return undefined;
  const body = bytes.subarray(fixedBytes, length);
  return { length, address: command === 0 ? undefined : sourceOf(family, body) };
}

/** Undefined if it is not TCP over IP. */
function sourceOf(family: number, body: Buffer): string | undefined {
  const [ipv4, ipv6] = [family === 1, family === 2];
  if (!ipv4 && !ipv6) return undefined;
  if (body.length < (ipv4 ? 12 : 36)) throw new Error('the PROXY protocol header is too short for its addresses');
  return ipv4 ? body.subarray(0, 4).join('.') : ipv6Text(body.subarray(0, 16));
}

function ipv6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6', port: 1 }).address;
}
