// `tidegate complete SHELL`: the completion script of a shell. It is made from the table, so it knows every noun, verb, option and word.
import { completionScript, shells } from '../completion/scripts.ts';
import { shellTable, type Table } from '../completion/sh-table.ts';
import { UsageError } from '../failures.ts';
import { localVerb, type Noun, type Verb } from '../verb.ts';

export const completeOf = (nouns: Table<Noun>, verbsAlone: Table<Verb>): Verb =>
  localVerb({
    summary: 'Print the completion script for bash (default), zsh or fish: source <(tidegate complete zsh)',
    takes: ['[SHELL]'],
    options: {},
    async run({ names: [given = 'bash'], stdout }) {
      const shell = shells.find((each) => each === given);
      if (shell === undefined) throw new UsageError(`SHELL must be one of ${shells.join(', ')}, not '${given}'`);
      stdout.write(completionScript(shell, await shellTable(nouns, verbsAlone)));
    },
  });
