// The trial of the name server. Its oracle finds wrong answers, and the server gives none.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { replyFault } from '../../trials/dns-answers/judge-reply.ts';
import { questionOf } from '../../trials/dns-answers/mutations.ts';
import { zone } from '../../trials/dns-answers/world.ts';
import { runDnsAnswers } from '../../trials/dns-answers.ts';

test('the oracle detects wrong answers', () => {
  const packet = questionOf({ id: 7, name: `v4.${zone}`, type: 1 });
  const reply = (address: number, flags = 0x8400) => {
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 192, 0, 2, address]);
    const bytes = Buffer.concat([packet, record]);
    bytes.writeUInt16BE(flags, 2);
    bytes.writeUInt16BE(1, 6);
    return bytes;
  };
  expect(replyFault(packet, [reply(4)])).toBeUndefined();
  expect(replyFault(packet, [reply(5)])).toContain('192.0.2.5');
  expect(replyFault(packet, [])).toContain('0 answers');
  expect(replyFault(packet, [reply(4, 0x8480)])).toContain('flags');
  expect(replyFault(packet, [reply(4, 0x8403)])).toContain('code is 3');
  expect(replyFault(packet, [reply(4).subarray(0, -1)])).toContain("can't be read");
  expect(replyFault(packet.subarray(0, 11), [reply(4)])).toBe('it is answered');
  expect(replyFault(questionOf({ id: 7, name: `none.${zone}`, type: 1 }), [reply(4)])).toContain('not 3');
});

test('a question that ends like an OPT record is not one', () => {
  const ending = '00001c000100002904d09e00c0000000';
  const packet = Buffer.from(`4ccb0000000100000000000101421f446545700447736c6205545269416c0474295354${ending}`, 'hex');
  const reply = Buffer.from(packet);
  reply.writeUInt16BE(0x8001, 2);
  reply.writeUInt16BE(0, 10);
  expect(replyFault(packet, [reply])).toBeUndefined();
});

test('damaged packets, slow clients, signatures and explanations', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dns-answers-'));
  try {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const run = { seed, packets: 3_000, answers: 20, folder, timeIsUp: () => false, progress: () => undefined };
    const result = await runDnsAnswers({ ...run, signal: new AbortController().signal });
    expect({ seed, ...result }).toMatchObject({
      ...{ packets: 3_000, answers: 20, crashes: 0, wrongReplies: 0, bogus: 0, explainMismatches: 0, findings: [] },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 300_000);
