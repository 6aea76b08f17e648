// Asks the server about each step whether it would accept it. Changes nothing. Each step is tried alone, as if the others were not carried out.
import { randomUUID } from 'node:crypto';
import { dryRunHeader } from '../../platform/caller/manner.ts';
import { allAtOnce } from '../at-once.ts';
import { type GraphClient, GraphFailure } from '../graph-client.ts';
import { choiceOrFirst } from '../option.ts';
import { hideSecrets } from '../secrets.ts';
import { awaitedIn, foreseen, isRefusal, type StepResult } from './carry-out.ts';
import { graphqlDocumentOf } from './mutations.ts';
import { isWhole } from './owned.ts';
import type { Step } from './step.ts';

export const dryRunOption = choiceOrFirst(
  'WHERE',
  ['client', 'server'],
  'Show the steps, and change nothing. With server, also ask the server whether it would accept each step.',
);

interface TryOptions {
  readonly source: string | undefined;
  readonly onProgress?: (done: number, of: number) => void;
}

/** Throws CommandFailure when the server does not answer. */
export async function tryOut(
  client: GraphClient,
  steps: readonly Step[],
  { source, onProgress }: TryOptions,
): Promise<readonly StepResult[]> {
  let done = 0;
  const deletions = steps.filter(({ action }) => action === 'delete').length;
  return allAtOnce(steps, async (step) => {
    const tried = await tryOne(client, step, source);
    const result = deletions > 1 && isUsed(tried) ? notAsked(step, 'objects that use it may be deleted first') : tried;
    done += 1;
    onProgress?.(done, steps.length);
    return result;
  });
}

/** Refused because another object uses it. */
function isUsed({ step, result, message }: StepResult): boolean {
  return step.action === 'delete' && result === 'REFUSED' && message?.startsWith('IN_USE: ') === true;
}

async function tryOne(client: GraphClient, step: Step, source: string | undefined): Promise<StepResult> {
  const { request, secrets } = step;
  if (request === undefined) return foreseen(step);
  const [needed] = awaitedIn(request.input);
  if (needed !== undefined) return notAsked(step, `it needs ${needed}, which is not there yet`);
  const manner = { dryRun: true, ...(source !== undefined && isWhole(step) ? { source } : {}) };
  const input = { ...request.input, idempotencyKey: randomUUID() };
  try {
    const { userErrors } = await client.tryMutate(graphqlDocumentOf(request.mutation), input, manner);
    const [error] = userErrors;
    if (error === undefined) return foreseen(step);
    if (error.code === 'NOT_TRIED') return notAsked(step, error.message);
    const text = userErrors.map(({ code, message }) => `${code}: ${message}`).join('; ');
    const line = step.line === 0 ? 0 : step.lineOf(error.field.slice(1));
    return { ...foreseen(step), result: 'REFUSED', line, message: hideSecrets(text, secrets) };
  } catch (error) {
    if (!(error instanceof GraphFailure) || !isRefusal(error)) throw error;
    // The mutation does not support a dry run. It has to be sent without the header.
    if (error.message.includes(dryRunHeader)) return notAsked(step, error.message);
    return { ...foreseen(step), result: 'REFUSED', message: hideSecrets(error.message, secrets) };
  }
}

function notAsked(step: Step, why: string): StepResult {
  const { note } = step;
  return { ...foreseen(step), message: `${note === undefined ? '' : `${note}; `}not asked: ${why}`, isNotAsked: true };
}
