// `tidegate apply -f PATH`: creates and updates objects of all kinds from files. A second run changes nothing, and an interrupted run can be
// repeated. `tidegate diff -f PATH` shows the changes that apply would make.
import type { LoadBalancerChangeInput } from '../../generated/cli/graphql.ts';
import type { JsonValue } from '../../platform/values/json.ts';
import { upperFirst } from '../../schema/kinds/kind.ts';
import { carryOutAll, failIfAny, foreseen, type Outcome, type StepResult } from '../apply/carry-out.ts';
import type { FileLines } from '../apply/files.ts';
import { previewed } from '../apply/mutations.ts';
import { deletesMany } from '../apply/owned.ts';
import { type FilePlan, planFiles, planOptions } from '../apply/plan-files.ts';
import { awaited, type Change, type Step } from '../apply/step.ts';
import { dryRunOption, tryOut } from '../apply/try-out.ts';
import { askOnTerminal } from '../ask-terminal.ts';
import { settled } from '../balancer.ts';
import { CommandFailure } from '../failures.ts';
import type { GraphClient } from '../graph-client.ts';
import { flag } from '../option.ts';
import { progressOn } from '../progress.ts';
import { commonOptions, type RemoteCall, remoteVerb } from '../remote-verb.ts';
import type { WaitingCall } from '../wait.ts';
import { type Preview, inShort as previewInShort, previewOption, readPreview } from './loadbalancers/preview.ts';

type ApplyCall = Pick<RemoteCall, 'printer'> & { readonly options: { readonly json: boolean } };

export const apply = remoteVerb({
  summary: 'Create and update what YAML or JSON files describe, of all kinds.',
  examples: ['tidegate apply -f web.yaml --dry-run=server', 'tidegate apply -f site/ -R --source site --prune'],
  takes: [],
  options: {
    ...planOptions,
    'dry-run': dryRunOption,
    preview: previewOption,
    yes: flag('Delete with --prune without a question, also more than a fifth of the objects of the source.'),
    'renew-credentials': flag('Also send the credentials of existing backends, which can not be compared.'),
    wait: commonOptions.wait,
  },
  async run(call) {
    const { client, options } = call;
    const { source } = options;
    const plan = await planFiles(call, { renewCredentials: options['renew-credentials'] });
    const { lines } = plan;
    const steps = [...plan.changes, ...plan.deletions];
    if (options.preview) return printResults(call, lines, steps.map(foreseen), await previewsOf(client, steps));
    if (options['dry-run'] === 'client') return printResults(call, lines, steps.map(foreseen));
    const progress = progressOn(call.stderr, 'objects');
    if (options['dry-run'] === 'server') {
      const results = await tryOut(client, steps, { source, onProgress: progress.at }).finally(progress.end);
      await printResults(call, lines, results);
      const notAsked = results.filter(({ isNotAsked }) => isNotAsked).length;
      if (notAsked > 0)
        call.stderr.write(
          `tidegate: ${notAsked} of ${results.length} steps were not tried: each line gives the reason\n`,
        );
      return failIfAny({ results, lost: undefined }, 'it', 'objects');
    }
    if (!options.yes) await mayDelete(call, plan);
    const { signal } = call;
    const outcome = await carryOutAll(client, plan, { source, signal, onProgress: progress.at }).finally(progress.end);
    await printResults(call, lines, outcome.results);
    failIfAny(outcome, 'it', 'objects');
    await untilSettled(call, outcome);
  },
});

/** Asks a person before whole objects are deleted. A program may delete a few. Throws CommandFailure. */
async function mayDelete(call: Pick<RemoteCall, 'stdout' | 'signal'>, plan: FilePlan): Promise<void> {
  const deletions = plan.deletions.filter(({ request }) => request !== undefined);
  if (deletions.length === 0) return;
  const names = deletions.slice(0, mostNamed).map(({ kind, name }) => `${kind} ${name}`);
  const more = deletions.length > mostNamed ? [`and ${deletions.length - mostNamed} more`] : [];
  const what = `${deletions.length} of ${plan.count} objects of the source: ${[...names, ...more].join(', ')}`;
  const verbs = [...new Set(deletions.map(({ action }) => action))].join(' or ');
  if (call.stdout.isTTY === true) {
    const text = `${upperFirst(verbs)} ${what}? [y/N] `;
    const [answer = ''] = await askOnTerminal([{ text, isSecret: false }], 'give --yes', call.signal);
    if (!/^y(es)?$/i.test(answer.trim())) throw new CommandFailure('nothing was done');
  } else if (deletesMany({ deletions, count: plan.count }))
    throw new CommandFailure(
      `--prune would ${verbs} ${what}, more than a fifth, so nothing was done: see "tidegate diff --prune", then give --yes`,
    );
}

const mostNamed = 20;

/** With `--wait`: waits until the standby has the last write, and every load balancer of the file is ACTIVE. All waits share the time. */
async function untilSettled(call: WaitingCall, { results, commit }: Outcome): Promise<void> {
  const { wait } = call.options;
  if (wait === undefined) return;
  const untilMs = performance.now() + wait * 1000;
  const left = () => ({ ...call, options: { wait: Math.max(1, Math.round((untilMs - performance.now()) / 1000)) } });
  await settled(left(), commit);
  for (const { step, id } of results) if (step.kind === 'LoadBalancer' && id !== null) await settled(left(), null, id);
}

/** Previews each change of an existing load balancer by itself. Omits changes that need an object that doesn't exist yet. */
async function previewsOf(client: GraphClient, steps: readonly Step[]): Promise<ReadonlyMap<Step, Preview>> {
  const balancers = new Map(steps.flatMap(({ kind, name, id }) => (kind === 'LoadBalancer' ? [[name, id]] : [])));
  const previews = new Map<Step, Preview>();
  for (const step of steps) {
    const { request, name } = step;
    const id = balancers.get(name.split('/')[0] ?? '');
    if (request === undefined || id == null || !previewed.has(request.mutation)) continue;
    if (Object.values(request.input).some((value) => awaited(value) !== undefined)) continue;
    previews.set(
      step,
      await readPreview(client, id, { [request.mutation]: request.input } as unknown as LoadBalancerChangeInput),
    );
  }
  return previews;
}

export async function printResults(
  { options, printer }: ApplyCall,
  lines: FileLines,
  results: readonly StepResult[],
  previews: ReadonlyMap<Step, Preview> = new Map(),
): Promise<void> {
  if (options.json)
    return printer.json(
      results.map(({ step, result, line, id, message }) => ({
        ...{ kind: step.kind, name: step.name, file: lines.placeOf(line)?.file ?? null },
        ...{ line: lines.placeOf(line)?.line ?? null, result, id, message },
        changes: step.changes.map(({ field, from, to }) => ({ field, from: shownValue(from), to: shownValue(to) })),
        ...(previews.size === 0 ? {} : { preview: previews.get(step) ?? null }),
      })),
    );
  const rows = results.map(({ step, result, line, message }) => [
    ...[step.kind, step.name, lines.cell(line), result],
    message ?? whatOf(step, previews.get(step)),
  ]);
  return printer.table(['KIND', 'NAME', 'LINE', 'RESULT', 'WHAT'], rows);
}

function whatOf({ changes }: Step, preview: Preview | undefined): string {
  const shown = [...changes.map(shownChange), ...(preview === undefined ? [] : [previewInShort(preview)])];
  return shown.join('; ') || '-';
}

const longestShown = 60;

function shownChange({ field, from, to }: Change): string {
  if (from === undefined && to === undefined) return field;
  return `${field}: ${inShort(from)} → ${inShort(to)}`;
}

function inShort(value: JsonValue | undefined): string {
  const shown = shownValue(value) ?? null;
  const text = shown === null ? 'none' : typeof shown === 'string' ? shown : JSON.stringify(shown);
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}

/** Replaces references to objects without an id by their names. */
function shownValue(value: JsonValue | undefined): JsonValue | undefined {
  const key = awaited(value);
  if (key !== undefined) return key;
  return Array.isArray(value) ? value.map((each: JsonValue) => shownValue(each) as JsonValue) : value;
}
