// The loop that keeps the live state current, with a scripted server.
import { describe, expect, test } from '@jest/globals';
import { type FeedPorts, runLiveFeed, type StreamEnd } from '../../../dashboard/src/live/live-feed.ts';
import { LiveStore } from '../../../dashboard/src/live/live-store.ts';
import { kinds } from '../../../dashboard/src/pages/relay/kinds.ts';
import { item, operation, snapshot } from '../support/samples.ts';

interface Listened {
  readonly cursor: string;
  readonly end: StreamEnd;
}

/** Answers each `listen` with the next step; stops the loop after the last. */
async function run(
  steps: readonly { readonly items?: readonly number[]; readonly end: StreamEnd }[],
  patch: Partial<FeedPorts> = {},
) {
  const controller = new AbortController();
  const store = new LiveStore(kinds, () => 0);
  const listened: Listened[] = [];
  let snapshots = 0;
  let isEnded = false;
  await runLiveFeed(
    store,
    {
      readSnapshot: async () => {
        snapshots += 1;
        return snapshot({ cursor: `c${snapshots * 100}` });
      },
      listen: async (cursor, listener) => {
        const step = steps[listened.length];
        if (step === undefined) throw new Error('more listens than steps');
        listened.push({ cursor, end: step.end });
        listener.connected();
        for (const number of step.items ?? []) listener.item(item(number, operation({ id: `o${number}` })));
        if (listened.length === steps.length) controller.abort();
        return step.end;
      },
      renewCredential: async () => true,
      endSession: () => {
        isEnded = true;
      },
      random: () => 0,
      ...patch,
    },
    controller.signal,
  );
  const cursor = store.cursor;
  store.disconnected('over');
  return { store, cursor, listened: listened.map((each) => each.cursor), snapshots, isEnded };
}

const lost: StreamEnd = { type: 'lost', reason: 'gone' };

describe('runLiveFeed', () => {
  test('resumes a lost stream after the last cursor, without another snapshot', async () => {
    const result = await run([{ items: [101, 102], end: lost }, { end: lost }, { items: [103], end: lost }]);
    expect(result.listened).toEqual(['c100', 'c102', 'c102']);
    expect(result.snapshots).toBe(1);
    expect(result.cursor).toBe('c103');
    expect(result.store.state.feed.map((line) => line.id)).toEqual(['s103', 's102', 's101']);
  });

  test.each(['CURSOR_EXPIRED', 'RESYNC_REQUIRED'])('reads a new snapshot after %s, with a note', async (code) => {
    const result = await run([{ items: [101], end: lost }, { end: { type: 'expired', code } }, { end: lost }]);
    expect(result.listened).toEqual(['c100', 'c101', 'c200']);
    expect(result.snapshots).toBe(2);
    expect(result.store.state.feed[0]).toMatchObject({ type: 'note', text: expect.stringContaining('read again') });
  });

  test('reads a new snapshot after a change that the server could not complete, and continues after it', async () => {
    const result = await run([
      { items: [101], end: { type: 'incomplete' } },
      { items: [201], end: lost },
      { end: lost },
    ]);
    expect(result.listened).toEqual(['c100', 'c200', 'c201']);
    expect(result.snapshots).toBe(2);
    expect(result.store.state.feed).toContainEqual(
      expect.objectContaining({ type: 'note', text: expect.stringContaining('that change has no line') }),
    );
  });

  test('renews the credential once and begins with a snapshot, because the rights may have changed', async () => {
    const result = await run([
      { items: [101], end: { type: 'unauthenticated' } },
      { items: [201], end: lost },
    ]);
    expect(result.listened).toEqual(['c100', 'c200']);
    expect(result.isEnded).toBe(false);
  });

  test('continues after the last cursor when the socket ended with its access token, with a new token and no snapshot', async () => {
    let renewals = 0;
    const ended: StreamEnd = { type: 'token-ended' };
    const result = await run([{ items: [101], end: ended }, { end: ended }, { items: [102], end: lost }], {
      renewCredential: async () => {
        renewals += 1;
        return true;
      },
    });
    expect(result.listened).toEqual(['c100', 'c101', 'c101']);
    expect([result.snapshots, renewals]).toEqual([1, 2]);
  });

  test('ends the session when even a new credential is refused', async () => {
    const refused: StreamEnd = { type: 'unauthenticated' };
    const result = await run([{ end: refused }, { end: refused }, { end: lost }]);
    expect(result.listened).toHaveLength(2);
    expect(result.isEnded).toBe(true);
  });

  test('stops when the session has ended', async () => {
    const result = await run([{ end: { type: 'unauthenticated' } }, { end: lost }], {
      renewCredential: async () => false,
    });
    expect(result.listened).toHaveLength(1);
  });

  test("continues when the snapshot can't be read, and shows why", async () => {
    let attempts = 0;
    const result = await run([{ end: lost }], {
      readSnapshot: async () => {
        attempts += 1;
        if (attempts < 3) throw new Error('The server does not answer.');
        return snapshot({ cursor: 'c7' });
      },
    });
    expect(attempts).toBe(3);
    expect(result.listened).toEqual(['c7']);
  });
});
