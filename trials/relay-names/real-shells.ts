// Passes a sample of calls to a real shell and judges each result.

import type { Rendering } from './offer.ts';
import type { RealFigures } from './real.ts';
import { prepareShell, runInShell } from './real-shell.ts';
import type { ShellTrial } from './shell-verdicts.ts';

/** The number of folders at once. */
const atOnce = 250;

/** `trialOf` gets the folder in which the call will run. */
export async function askRealShell(
  renderings: readonly Rendering[],
  folder: string,
  trialOf: (rendering: Rendering, folder: string) => ShellTrial,
): Promise<RealFigures> {
  await prepareShell(folder);
  const findings: string[] = [];
  let number = 0;
  for (const group of sameCommand(renderings)) {
    for (let start = 0; start < group.length; start += atOnce) {
      const first = number;
      const trials = group.slice(start, start + atOnce).map((rendering, index) => {
        return { rendering, trial: trialOf(rendering, `${folder}/${first + index}`) };
      });
      number += trials.length;
      const calls = trials.map(({ trial }) => trial.call);
      const replies = await runInShell(folder, calls, first);
      for (const [index, { rendering, trial }] of trials.entries()) {
        const reply = replies[index];
        const what = reply === undefined ? 'it was not run' : trial.judge(reply);
        if (what !== undefined) findings.push(`${rendering.operation.name} ${rendering.place}: ${what}`);
      }
    }
  }
  return { calls: renderings.length, wrong: findings.length, findings };
}

function sameCommand(renderings: readonly Rendering[]): readonly (readonly Rendering[])[] {
  const groups = Map.groupBy(renderings, ({ call }) => (call.kind === 'exec' ? call.command : ''));
  return [...groups.values()];
}
