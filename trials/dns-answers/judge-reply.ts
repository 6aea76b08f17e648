// Checks an answer against its packet. Undefined if it is correct.
import { decodeAddress, decodeMessage } from '../../dns/wire/message.ts';
import { decodeName } from '../../dns/wire/name.ts';
import { expectedOf } from './oracle.ts';

export function replyFault(packet: Buffer, replies: readonly Buffer[]): string | undefined {
  const expected = expectedOf(packet);
  if (!expected.answered) return replies.length === 0 ? undefined : 'it is answered';
  const [reply] = replies;
  if (reply === undefined || replies.length > 1) return `it has ${replies.length} answers`;
  // The lanes have no valid cookie, so their addresses may be forged.
  if (reply.length > Math.min(1_232, 6 * packet.length))
    return `the answer has ${reply.length} bytes, its question ${packet.length}`;
  if (reply.readUInt16BE(0) !== packet.readUInt16BE(0)) return 'the answer has another id';
  const [asked, flags] = [packet.readUInt16BE(2), reply.readUInt16BE(2)];
  // QR is set. Opcode and RD are those of the query. RA, Z, AD and CD are not set.
  if ((flags & 0xf9f0) !== (0x8000 | (asked & 0x7900))) return `the flags are ${flags.toString(16)}`;
  try {
    return contentFault(packet, reply, expected);
  } catch (error) {
    return `the answer can't be read: ${(error as Error).message}`;
  }
}

function contentFault(
  packet: Buffer,
  reply: Buffer,
  { rcodes, records }: { readonly rcodes: readonly number[]; readonly records?: readonly string[] },
): string | undefined {
  const message = decodeMessage(reply);
  const rcode = message.rcode | (extendedRcode(reply) << 4);
  if (!rcodes.includes(rcode)) return `its code is ${rcode}, not ${rcodes.join(' or ')}`;
  if (reply.readUInt16BE(4) > 0) {
    const { next } = decodeName(reply, 12);
    if (!reply.subarray(12, next + 4).equals(packet.subarray(12, next + 4))) return 'the question differs';
  }
  if (records === undefined || message.isTruncated) return undefined;
  const told = message.answers.flatMap((record) => {
    if (record.type === 1 || record.type === 28) return decodeAddress(record);
    return record.type === 5 ? `${decodeName(record.data, 0).name}.` : [];
  });
  return told.toSorted().join() === records.toSorted().join() ? undefined : `it has the records ${told.join()}`;
}

/** From the OPT record, which is the last one. A question may contain the same bytes. */
function extendedRcode(reply: Buffer): number {
  if (reply.readUInt16BE(10) === 0) return 0;
  for (let at = 12; at + 11 <= reply.length; at += 1)
    if (
      reply.readUInt8(at) === 0 &&
      reply.readUInt16BE(at + 1) === 41 &&
      at + 11 + reply.readUInt16BE(at + 9) === reply.length
    )
      return reply.readUInt8(at + 5);
  return 0;
}
