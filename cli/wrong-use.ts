// Messages for a command line that Commander refuses: with the nearest name, or with the alternatives.
import type { Command, CommanderError } from 'commander';
import { nearestName } from '../platform/values/nearest-name.ts';
import { otherVerb } from './other-verbs.ts';

/** `words`: the recognised words, from the program to a verb. */
export function commanderMessage(error: CommanderError, words: readonly Command[], args: readonly string[]): string {
  const last = words.at(-1);
  if (last === undefined) return error.message;
  if (error.code === 'commander.help')
    return `${last.name()} needs a verb: one of ${last.commands.map((each) => each.name()).join(', ')}`;
  if (error.code === 'commander.unknownCommand') {
    const given = args.filter((each) => !each.startsWith('-'))[words.length - 1] ?? '';
    const known = last.commands.flatMap((each) => [each.name(), ...each.aliases()]);
    const other =
      words.length === 2
        ? otherVerb(
            last.name(),
            given,
            last.commands.map((each) => each.name()),
          )
        : undefined;
    if (other !== undefined) return `there is no verb of ${last.name()} '${given}'; ${other}`;
    const what = words.length === 1 ? 'noun or verb' : `verb of ${last.name()}`;
    const near = nearText(given, known);
    // A list of all nouns would be too long.
    const all =
      words.length === 1 || near !== '' ? '' : `; it has ${last.commands.map((each) => each.name()).join(', ')}`;
    return `there is no ${what} '${given}'${near}${all}`;
  }
  if (error.code === 'commander.unknownOption') {
    const known = [...last.options.flatMap(({ long, short }) => [long ?? '', short ?? '']), '--help', '-h'];
    const shown = last.options.flatMap(({ long, hidden }) => (hidden || long === undefined ? [] : [long]));
    const named = args.filter((each) => /^--?[a-z]/i.test(each)).map((each) => each.replace(/=.*$/s, ''));
    const given = named.find((each) => !known.includes(each));
    if (given !== undefined) return `there is no option ${given}${nearOption(given, [...shown, '--help'])}`;
  }
  return error.message.replace(/^error: /, '').replaceAll('\n', ' ');
}

/** Prefers an option that has the given text as its prefix, or is itself a prefix of it. */
function nearOption(given: string, known: readonly string[]): string {
  const longer = known.filter((each) => given.length > 3 && each.startsWith(given));
  const shorter = known.filter((each) => given.startsWith(`${each}-`));
  const [near] = [...longer, ...shorter].sort(
    (a, b) => Math.abs(a.length - given.length) - Math.abs(b.length - given.length),
  );
  return near === undefined ? nearText(given, known) : `; ${near} is near`;
}

function nearText(given: string, known: readonly string[]): string {
  const near = nearestName(given, known);
  return near === undefined ? '' : `; ${near} is near`;
}

export function understoodBy(program: Command, args: readonly string[]): readonly Command[] {
  const understood = [program];
  for (const word of args) {
    const next = understood.at(-1)?.commands.find((each) => each.name() === word || each.aliases().includes(word));
    if (next === undefined) break;
    understood.push(next);
  }
  return understood;
}
