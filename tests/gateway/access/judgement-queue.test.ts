// New documents wait in turns. A flood from one user delays another user's document by one judgement only, and the queue is bounded.
import { expect, test } from '@jest/globals';
import { JudgementQueue } from '../../../gateway/access/judgement-queue.ts';

const flooder = { sender: 'flooder', network: '192.0.2.1' };
const other = { sender: 'other', network: '192.0.2.2' };

/** A judgement that runs until the test ends it. The start of the work is recorded. */
function noted(queue: JudgementQueue) {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const all: Promise<void>[] = [];
  const ask = (asker: Parameters<JudgementQueue['run']>[0], name: string, length = 10) => {
    const asked = queue.run(asker, length, async () => {
      begun.push(name);
      await new Promise<void>((resolve) => ends.push(resolve));
    });
    all.push(asked);
    return asked;
  };
  const finish = async () => {
    let isOver = false;
    const over = Promise.allSettled(all).then(() => {
      isOver = true;
    });
    while (!isOver) {
      ends.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await over;
  };
  return { begun, ask, finish };
}

test('users take turns', async () => {
  const { begun, ask, finish } = noted(new JudgementQueue());
  for (let number = 0; number < 50; number += 1) void ask(flooder, `flood ${number}`);
  void ask(other, 'other');
  await finish();
  expect(begun.slice(0, 3)).toEqual(['flood 0', 'flood 1', 'other']);
  expect(begun).toHaveLength(51);
});

test('each user has a limit on the size of waiting documents, and other users are not affected', async () => {
  const { ask, finish } = noted(new JudgementQueue());
  const large = 200 * 1024;
  const refused = { code: 'RATE_LIMITED', details: { retryAfterMs: expect.any(Number) } };
  for (let number = 0; number < 7; number += 1) void ask(flooder, 'large', large);
  await expect(ask(flooder, 'large', large)).rejects.toMatchObject(refused);
  void ask(other, 'other', large);
  await finish();
  // Judged documents no longer count.
  const again = ask(flooder, 'large', large);
  await finish();
  await again;
});

test('each network has a limit too, whatever users it has, and so does the whole queue', async () => {
  const { ask, finish } = noted(new JudgementQueue());
  const from = (network: string, sender: string) => ask({ sender, network }, sender);
  for (let number = 0; number < 300; number += 1) void from('192.0.2.1', `user ${number}`);
  await expect(from('192.0.2.1', 'one more')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  for (let number = 300; number < 1_000; number += 1) void from(`192.0.2.${number}`, `user ${number}`);
  await expect(from('198.51.100.1', 'one more')).rejects.toMatchObject({ code: 'BUSY' });
  await finish();
});
