// Another project's objects look nonexistent, at every root field and entity of the system subgraph.
import { describe, expect, test } from '@jest/globals';
import type { Identity } from '../../../platform/caller/identity.ts';
import { encodeId, newUuid } from '../../../platform/values/ids.ts';
import { isolation } from '../support/isolation.ts';
import { change, type SystemWorld, system } from './contract.ts';

const run = isolation(system);

describe('statusChanges', () => {
  const text = `subscription ($projectId: ID, $subjectId: ID, $after: String) {
    statusChanges(projectId: $projectId, subjectId: $subjectId, after: $after) { cursor change { ${change} } } }`;
  const unknown = { projectId: encodeId('Project', newUuid()), subjectId: encodeId('User', newUuid()) };

  async function follow(caller: Identity | null, filter: object) {
    const { bench, start } = run.world as SystemWorld;
    return bench.subscribe(caller, text, { ...filter, after: start });
  }

  describe.each(system.strangers)('%s', (name) => {
    const caller = () => run.world.strangers[name] ?? null;

    test.each(['project', 'token', 'user', 'unknown project', 'unknown subject'])(
      'sees nothing of %s',
      async (which) => {
        const { bench, beta, names } = run.world as SystemWorld;
        const filters: Readonly<Record<string, object>> = {
          ...{
            project: { projectId: names.project },
            token: { subjectId: names.token },
            user: { subjectId: names.user },
          },
          ...{
            'unknown project': { projectId: unknown.projectId },
            'unknown subject': { subjectId: unknown.subjectId },
          },
        };
        const stream = await follow(caller(), filters[which] ?? {});
        if (!(Symbol.asyncIterator in stream)) throw new Error(JSON.stringify(stream.errors));
        // Nothing matches. The reader is notified that it has caught up, and waits although an event of beta's has
        // passed.
        await bench.system.firstStart.issueToken({ projectId: beta, name: 'marker', role: 'VIEWER' });
        await bench.sequence();
        expect((await stream.next()).value).toMatchObject({ data: { statusChanges: { change: null } } });
        const seen: unknown[] = [];
        const waiting = stream.next().then((item) => seen.push(item));
        await bench.feed.waitFor(() => true, { timeoutMs: 150 });
        expect(seen).toEqual([]);
        await stream.return(undefined);
        await waiting;
      },
    );

    test('sees only the events of their own project', async () => {
      const { bench, beta, names } = run.world as SystemWorld;
      const stream = await follow(caller(), {});
      if (!(Symbol.asyncIterator in stream)) throw new Error(JSON.stringify(stream.errors));
      // Events of alpha's are in the stream by now. The one of beta's made here is the first that may arrive.
      const marker = await bench.system.firstStart.issueToken({ projectId: beta, name: 'marker', role: 'VIEWER' });
      await bench.sequence();
      for (let last = ''; !last.includes(encodeId('ApiToken', marker.id)); ) {
        last = JSON.stringify((await stream.next()).value);
        expect(last).not.toMatch(/alpha/);
        for (const id of [names.project, names.user, names.token]) expect(last).not.toContain(id);
      }
      await stream.return(undefined);
    });
  });

  test('is refused without a login', async () => {
    const stream = await follow(null, {});
    expect(Symbol.asyncIterator in stream ? [] : stream.errors).toMatchObject([
      { extensions: { code: 'UNAUTHENTICATED' } },
    ]);
  });
});
