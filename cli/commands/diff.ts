// `tidegate diff -f PATH`: the changes that apply would make. Changes nothing.
import { foreseen } from '../apply/carry-out.ts';
import { planFiles, planOptions } from '../apply/plan-files.ts';
import { exitCodes, SilentFailure } from '../failures.ts';
import { remoteVerb } from '../remote-verb.ts';
import { printResults } from './apply.ts';
import { kindOption } from './export.ts';

export const diff = remoteVerb({
  summary: 'Show what apply would do with files; the exit code is 2 if anything would change.',
  takes: [],
  options: { ...planOptions, kind: kindOption },
  async run(call) {
    const { kind } = call.options;
    const { changes, deletions, lines } = await planFiles(call, { renewCredentials: false });
    const steps = [...changes, ...deletions];
    const shown = kind.length === 0 ? steps : steps.filter((step) => kind.includes(step.kind));
    await printResults(call, lines, shown.filter(({ action }) => action !== 'nothing').map(foreseen));
    if (shown.some(({ request }) => request !== undefined)) throw new SilentFailure(exitCodes.differs);
  },
});
