// `tidegate rings change [RING]`, `changes`, `pause RING`, `resume RING` and `cancel RING`.

import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../failures.ts';
import { idNamed } from '../../find.ts';
import type { GraphClient } from '../../graph-client.ts';
import { text } from '../../option.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { changeVerb } from '../../row-verbs.ts';
import { type Patience, patienceOf, replicated, waitFor } from '../../wait.ts';
import { namesOfRings, ringNumber } from './show.ts';

const previewDocument = graphql(`
  query RingsSteps($number: Int!) { objectRingChangePreview(number: $number) { stepCount } }
`);
const startDocument = graphql(`
  mutation RingsChange($input: ObjectRingChangeStartInput!) {
    objectRingChangeStart(input: $input) {
      objectRingChange { id number state stepCount movedPercent } commit { token } userErrors { code message field }
    }
  }
`);
const changesDocument = graphql(`
  query RingsChanges($first: Int) {
    objectRingChanges(first: $first) {
      nodes {
        id number state stepCount stepsDone movedPercent recoveredNumber createdAt finishedAt
        gaining { number partitions left movedBytes message cluster { name } }
      }
    }
  }
`);
const changeDocument = graphql(`
  query RingsChangeNow($id: ID!) {
    objectRingChange(id: $id) { state reason stepCount stepsDone gaining { number left message cluster { name } } }
  }
`);
const pauseDocument = graphql(`
  mutation RingsPause($input: ObjectRingChangePauseInput!) {
    objectRingChangePause(input: $input) { objectRingChange { id number state } commit { token } userErrors { code message field } }
  }
`);
const resumeDocument = graphql(`
  mutation RingsResume($input: ObjectRingChangeResumeInput!) {
    objectRingChangeResume(input: $input) { objectRingChange { id number state } commit { token } userErrors { code message field } }
  }
`);
const cancelDocument = graphql(`
  mutation RingsCancel($input: ObjectRingChangeCancelInput!) {
    objectRingChangeCancel(input: $input) { objectRingChange { id number state } commit { token } userErrors { code message field } }
  }
`);

const mostShown = 50;

interface Started {
  readonly id: string;
  readonly number: number;
}

async function liveChange(client: GraphClient, number: number): Promise<Started | undefined> {
  const { objectRingChanges } = await client.query(changesDocument, { first: mostShown });
  return objectRingChanges.nodes.find(
    (each) => each.number === number && (each.state === 'RUNNING' || each.state === 'PAUSED'),
  );
}

/** Accepts a change that is already under way. */
export async function startChange(client: GraphClient, number: number): Promise<Started> {
  const live = await liveChange(client, number);
  if (live !== undefined) return live;
  const { objectRingChange } = await client.mutate(startDocument, { idempotencyKey: randomUUID(), number });
  if (objectRingChange === null) throw new CommandFailure('the server gave no change');
  return objectRingChange;
}

/** Waits until all of them have ended. */
export async function untilChanged(
  client: GraphClient,
  started: readonly Started[],
  patience: Patience,
): Promise<void> {
  for (const { id, number } of started) {
    const seen = await waitFor(
      patience,
      async () => (await client.query(changeDocument, { id })).objectRingChange,
      (change) => `the change of ring ${number} is not done yet: ${progressIn(change)}`,
    );
    if (seen?.state === 'CANCELLED') throw new CommandFailure(`the change of ring ${number} was cancelled`);
    if (seen?.state === 'FAILED')
      throw new CommandFailure(`the change of ring ${number} has failed: ${seen.reason ?? progressIn(seen)}`);
  }
}

interface Progress {
  readonly stepCount: number;
  readonly stepsDone: number;
  readonly gaining: readonly {
    readonly number: number;
    readonly left: number | null;
    readonly message: string | null;
    readonly cluster: { readonly name: string } | null;
  }[];
}

function progressIn({ stepCount, stepsDone, gaining }: Progress): string {
  const each = gaining.map(({ cluster, number, left, message }) => {
    const reason = message === null ? '' : ` (${message})`;
    return `${cluster?.name ?? number} lacks ${left === null ? 'all' : `${left} partitions`}${reason}`;
  });
  return [`${stepsDone} of ${Math.max(stepCount, stepsDone)} steps`, ...each].join('; ');
}

export const change = remoteVerb({
  summary: 'Change rings to the wanted clusters, weights, zones and options. Without a name: all rings.',
  takes: ['[RING]'],
  options: {
    recover: text('CLUSTER', 'It lost its database, or came back from a backup: it takes over what the others have.'),
    wait: commonOptions.wait,
  },
  async run({ client, signal, names, options, printer }) {
    const [given] = names;
    const numbers = given === undefined ? [...(await namesOfRings(client)).keys()] : [await ringNumber(client, given)];
    const started: Started[] = [];
    const recover = options.recover === undefined ? undefined : await idNamed(client, 'clusters', options.recover);
    for (const number of numbers) {
      if (recover !== undefined) {
        const input = { idempotencyKey: randomUUID(), number, recoveredClusterId: recover };
        const { objectRingChange } = await client.mutate(startDocument, input);
        if (objectRingChange !== null) started.push(objectRingChange);
        continue;
      }
      const { objectRingChangePreview: seen } = await client.query(previewDocument, { number });
      if (seen !== null && seen.stepCount > 0) started.push(await startChange(client, number));
    }
    const patience = patienceOf({ client, signal, options });
    if (patience !== undefined) await untilChanged(client, started, patience);
    if (options.json) return printer.json(started);
    const ringNames = await namesOfRings(client);
    if (started.length === 0) return printer.line('all is as wanted');
    for (const { number } of started)
      await printer.line(
        `ring ${ringNames.get(number) ?? number} ${options.wait === undefined ? 'changes: tidegate rings changes' : 'is changed'}`,
      );
  },
});

export const changes = remoteVerb({
  summary: 'Show the changes of rings, newest first, and how far they are.',
  takes: [],
  options: {},
  async run({ client, options, printer }) {
    const { objectRingChanges } = await client.query(changesDocument, { first: mostShown });
    if (options.json) return printer.json(objectRingChanges.nodes);
    const names = await namesOfRings(client);
    const rows = objectRingChanges.nodes.map((each) => [
      ...[names.get(each.number) ?? String(each.number), each.state, each.createdAt, each.finishedAt ?? '-'],
      each.finishedAt === null ? progressIn(each) : `${each.stepsDone} ${each.stepsDone === 1 ? 'step' : 'steps'}`,
    ]);
    return printer.table(['RING', 'STATE', 'BEGAN', 'ENDED', 'PROGRESS'], rows);
  },
});

/** Throws CommandFailure if there is none. */
async function changeUnderWay(client: GraphClient, ring: string): Promise<Started> {
  const live = await liveChange(client, await ringNumber(client, ring));
  if (live === undefined) throw new CommandFailure(`ring ${ring} does not change`);
  return live;
}

function verbOf(summary: string, document: typeof pauseDocument | typeof resumeDocument, done: string) {
  return changeVerb({
    ...{ summary, takes: ['RING'], options: {}, document: document as typeof pauseDocument },
    input: async ({ client, names: [ring] }) => ({ id: (await changeUnderWay(client, ring)).id }),
    says: (_, { names }) => `the change of ring ${names[0]} is ${done}`,
  });
}

export const pause = verbOf('Move nothing more of a ring for now.', pauseDocument, 'paused');
export const resume = verbOf('Go on with the change of a ring.', resumeDocument, 'resumed');
export const cancel = remoteVerb({
  summary: 'Take back the step under way, and end the change of a ring.',
  takes: ['RING'],
  options: { wait: commonOptions.wait },
  async run(call) {
    const { client, names, options, printer } = call;
    const [ring] = names;
    const { id } = await changeUnderWay(client, ring);
    const { objectRingChange, commit } = await client.mutate(cancelDocument, { idempotencyKey: randomUUID(), id });
    await replicated(call, commit);
    const patience = patienceOf(call);
    if (patience !== undefined)
      await waitFor(
        patience,
        async () => (await client.query(changeDocument, { id })).objectRingChange,
        (change) => `the change of ring ${ring} is not taken back yet: ${progressIn(change)}`,
      );
    if (options.json) return printer.json(objectRingChange);
    return printer.line(`the change of ring ${ring} is cancelled`);
  },
});
