// The expected answer to a packet, written from the specifications and independent of the server: no answer, or a response code, and the
// records of known names.
import { type Known, knownNames, zone } from './world.ts';

type Expected =
  | { readonly answered: false }
  | { readonly answered: true; readonly rcodes: readonly number[]; readonly records?: readonly string[] };

const codes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, NOTAUTH: 9, BADVERS: 16 };
const refusedTypes = [251, 252, 253, 254, 46];
/** The server's own limit. No honest query has more records. */
const mostRecords = 4;

export function expectedOf(packet: Buffer): Expected {
  if (packet.length < 12 || packet.readUInt8(2) >= 0x80) return { answered: false };
  const answered = (...rcodes: number[]): Expected => ({ answered: true, rcodes });
  const [, flags = 0, questions, ...others] = [0, 2, 4, 6, 8, 10].map((at) => packet.readUInt16BE(at));
  if (((flags >> 11) & 0xf) !== 0) return answered(codes.NOTIMP);
  const question = questions === 1 ? readName(packet, 12, false) : undefined;
  if (question === undefined || question.end + 4 > packet.length) return answered(codes.FORMERR);
  const type = packet.readUInt16BE(question.end);
  const group = packet.readUInt16BE(question.end + 2);
  const edns = readRecords(packet, question.end + 4, others as [number, number, number]);
  if (typeof edns === 'number') return answered(edns);
  if ([0, 41, 128].includes(type)) return answered(codes.FORMERR);
  const name = question.labels.join('.');
  if (group === 3 && type === 16 && name === 'age.tidegate') return answered(codes.NOERROR);
  const origin = zone.slice(0, -1);
  if (group !== 1 || (name !== origin && !name.endsWith(`.${origin}`)) || refusedTypes.includes(type))
    return answered(codes.REFUSED);
  const label = name === origin ? '' : name.slice(0, -origin.length - 1);
  // Random policies may fail to answer.
  if (/^p\d+$/.test(label)) return answered(codes.NOERROR, codes.SERVFAIL, codes.NXDOMAIN);
  if (label === '') return answered(codes.NOERROR);
  const known = find(label);
  if (known === undefined) return answered(edns.dnssec && !edns.compact ? codes.NOERROR : codes.NXDOMAIN);
  const kind = ({ 1: 'A', 28: 'AAAA' } as const)[type];
  const records = known.CNAME ?? (kind === undefined ? undefined : (known[kind] ?? []));
  return { answered: true, rcodes: [codes.NOERROR], ...(records === undefined ? {} : { records }) };
}

function find(label: string): Known | undefined {
  if (Object.hasOwn(knownNames, label)) return knownNames[label];
  // RFC 4592 section 3.3.1: the wildcard does not apply below an existing name, and its own name exists.
  if (!label.endsWith('.wild') || /\.(here|\*)\.wild$/.test(label)) return undefined;
  return knownNames['*.wild'];
}

interface Name {
  readonly labels: readonly string[];
  readonly end: number;
}

function readName(packet: Buffer, from: number, mayPoint: boolean): Name | undefined {
  const labels: string[] = [];
  let [at, size] = [from, 1];
  for (;;) {
    if (at >= packet.length) return undefined;
    const length = packet.readUInt8(at);
    if (length === 0) return { labels, end: at + 1 };
    if (length >= 192) {
      const isBack = mayPoint && at + 2 <= packet.length && (packet.readUInt16BE(at) & 0x3fff) < from;
      return isBack ? { labels, end: at + 2 } : undefined;
    }
    size += length + 1;
    if (length > 63 || size > 255) return undefined;
    const label = packet.toString('latin1', at + 1, at + 1 + length).toLowerCase();
    labels.push(label.replaceAll('.', '\\.'));
    at += 1 + length;
  }
}

/** The flags of the OPT record, or the response code of the fault. */
function readRecords(
  packet: Buffer,
  from: number,
  [answers, authority, additional]: readonly [number, number, number],
): number | { readonly dnssec: boolean; readonly compact: boolean } {
  const count = answers + authority + additional;
  if (count > mostRecords) return codes.FORMERR;
  let at = from;
  const opts: { readonly at: number; readonly end: number }[] = [];
  for (let index = 0; index < count; index += 1) {
    const name = readName(packet, at, true);
    if (name === undefined || name.end + 10 > packet.length) return codes.FORMERR;
    const end = name.end + 10 + packet.readUInt16BE(name.end + 8);
    if (end > packet.length) return codes.FORMERR;
    const type = packet.readUInt16BE(name.end);
    if (type === 250) return codes.NOTAUTH;
    if (type === 41) {
      if (opts.length > 0 || index < answers + authority || name.end !== at + 1) return codes.FORMERR;
      opts.push({ at: name.end, end });
    }
    at = end;
  }
  if (at !== packet.length) return codes.FORMERR;
  const [opt] = opts;
  if (opt === undefined) return { dnssec: false, compact: false };
  if (packet.readUInt8(opt.at + 5) !== 0) return codes.BADVERS;
  if (!optionsAreRight(packet.subarray(opt.at + 10, opt.end))) return codes.FORMERR;
  const flags = packet.readUInt16BE(opt.at + 6);
  return { dnssec: flags >= 0x8000, compact: (flags & 0x4000) !== 0 };
}

function optionsAreRight(data: Buffer): boolean {
  let [rest, subnets] = [data, 0];
  while (rest.length > 0) {
    if (rest.length < 4) return false;
    const [code, length] = [rest.readUInt16BE(0), rest.readUInt16BE(2)];
    const value = rest.subarray(4, 4 + length);
    if (value.length < length) return false;
    if (code === 10 && length !== 8 && !(length >= 16 && length <= 40)) return false;
    if (code === 8 && (++subnets > 1 || !isSubnet(value))) return false;
    rest = rest.subarray(4 + length);
  }
  return true;
}

function isSubnet(value: Buffer): boolean {
  if (value.length < 4) return false;
  const [family, bits, scope] = [value.readUInt16BE(0), value.readUInt8(2), value.readUInt8(3)];
  const most = [0, 32, 128][family];
  if (most === undefined || bits > most || scope !== 0) return false;
  const address = [...value.subarray(4)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return address.length === 8 * Math.ceil(bits / 8) && !address.slice(bits).includes('1');
}
