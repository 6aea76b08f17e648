// `tidegate diff -f FILE`: what apply would do. Nothing is changed.
import { foreseen } from '../apply/carry-out.ts';
import { sourceOption } from '../apply/owned.ts';
import { SilentFailure } from '../failures.ts';
import { commonOptions, remoteVerb } from '../remote-verb.ts';
import { fileOption, planFile, printResults, pruneOption } from './apply.ts';
import { kindOption } from './export.ts';

/** Something would change. */
const differs = 2;

export const diff = remoteVerb({
  summary: 'Show what apply would do with a file; the exit code is 2 if anything would change.',
  takes: [],
  options: {
    file: fileOption,
    source: sourceOption,
    prune: pruneOption,
    kind: kindOption,
    project: commonOptions.project,
  },
  async run(call) {
    const { prune, source, kind } = call.options;
    const { changes, deletions } = await planFile(call, { prune, source, renewCredentials: false });
    const steps = [...changes, ...deletions];
    const shown = kind.length === 0 ? steps : steps.filter((step) => kind.includes(step.kind));
    await printResults(call, shown.filter(({ action }) => action !== 'nothing').map(foreseen));
    if (shown.some(({ action }) => action !== 'nothing')) throw new SilentFailure(differs);
  },
});
