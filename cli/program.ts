// The `tidegate` program, made from its table. Commander parses the command line. Help, usage errors and failures look the same for every noun and
// verb.
import { Command, CommanderError, Option as CommanderOption } from 'commander';
import { type ProgramVersion, programVersion } from '../platform/process/program-version.ts';
import { CommandFailure, CommandFaults, exitCodes, Interruption, SilentFailure, UsageError } from './failures.ts';
import { isAbort, untilLeft } from './interruption.ts';
import { missingText } from './missing.ts';
import { otherWordsFor } from './noun-words.ts';
import { choice, type Given, type Option, type Values } from './option.ts';
import { sameVerbs } from './other-verbs.ts';
import { wholeId } from './short-id.ts';
import { nouns, verbsAlone } from './table.ts';
import { type Call, type Output, type OutputFormat, outputFormats, type Surroundings, type Verb } from './verb.ts';
import { visible } from './visible.ts';
import { commanderMessage, understoodBy } from './wrong-use.ts';

/** Option of every verb with `--json`. */
const outputOption: Option<OutputFormat | undefined> = {
  ...choice('FORMAT', outputFormats, `One of ${outputFormats.join(', ')}; wide shows whole ids and cuts nothing.`),
  short: 'o',
};

interface ProgramRun extends Omit<Surroundings, 'output'> {
  /** The arguments after `tidegate`. */
  readonly args: readonly string[];
}

/** Resolves with the exit code. Bugs are thrown. */
export async function runTidegate({ args, ...around }: ProgramRun): Promise<number> {
  let chosen: Verb | undefined;
  const program = await programFor(args, around, (verb) => {
    chosen = verb;
    if (verb.goesLast) around.goLast?.();
  });
  if (args.length === 0) {
    program.outputHelp();
    return exitCodes.usage;
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCodes.ok;
      const words = understoodBy(program, args);
      return wrongUse(around.stderr, missingIn(error, words) ?? commanderMessage(error, words, args), program, args);
    }
    if (around.signal.aborted) return interrupted(error, chosen, around);
    if (error instanceof UsageError) return wrongUse(around.stderr, error.message, program, args);
    if (error instanceof SilentFailure) return error.exitCode;
    if (!(error instanceof CommandFailure)) throw error;
    const faults = error instanceof CommandFaults ? error.faults : [error.message];
    for (const each of faults) around.stderr.write(`tidegate: ${visible(each)}\n`);
    return error.exitCode;
  }
}

/**
 * Decides how a command ends after its user interrupted it. Never fails. A command that runs until interrupted has succeeded. Any other command was
 * cut short, unless it finished all the same. Bugs are thrown.
 */
function interrupted(error: unknown, verb: Verb | undefined, { signal, stderr }: Surroundings): number {
  // Another process failed while it ended, and reported it.
  if (error instanceof SilentFailure) return verb?.endsBySignal ? error.exitCode : exitCodes.interrupted;
  const isExpected =
    error instanceof CommandFailure || error instanceof UsageError || isAbort(error, signal) || isClosed(error);
  if (!isExpected) throw error;
  if (verb?.endsBySignal) return exitCodes.ok;
  const failure = error instanceof CommandFailure ? error : new Interruption();
  stderr.write(`tidegate: ${visible(failure.message)}\n`);
  return exitCodes.interrupted;
}

/** The output has no reader any more. */
function isClosed(error: unknown): boolean {
  return ['EPIPE', 'ERR_STREAM_DESTROYED'].includes((error as NodeJS.ErrnoException | undefined)?.code ?? '');
}

/** Loads only the noun or verb on the command line. */
async function programFor(
  args: readonly string[],
  around: Surroundings,
  onChosen: (verb: Verb) => void,
): Promise<Command> {
  const program = new Command('tidegate')
    .usage('NOUNS VERB [NAME] [options]')
    .description(about)
    .exitOverride()
    .showSuggestionAfterError(false)
    // Errors are written in one place, with a hint.
    .configureOutput({
      writeOut: (text) => around.stdout.write(text),
      writeErr: () => undefined,
      getOutHelpWidth: () => around.stdout.columns || 120,
      getOutHasColors: () => false,
    })
    .configureHelp({
      subcommandTerm: (command) => [command.name(), ...takenBy(command)].join(' '),
      // Other words for a noun are in its own help.
      commandUsage: (command) => [wordsOf(command), command.usage()].join(' ').trim(),
    })
    .helpOption('-h, --help', 'Print this help.')
    .addHelpText('after', `\n${exampleText(examples)}`)
    .version(versionLine(await programVersion()), '--version', 'Print the version and, if it is known, the commit.');
  const asked = args.find((each) => !each.startsWith('-') && each !== 'help');
  let group = '';
  for (const [name, entry] of Object.entries(nouns)) {
    group = entry.group ?? group;
    const others = otherWordsFor(name, entry);
    const noun = program.command(name).usage('VERB …').description(entry.summary).helpCommand(false).helpGroup(group);
    if (others.length > 0)
      noun.aliases([...others]).addHelpText('after', `\nOther words for ${name}: ${others.join(', ')}`);
    if (asked === undefined || (name !== asked && !others.includes(asked))) continue;
    const verbs = await entry.load();
    for (const [verbName, verb] of Object.entries(verbs)) {
      const command = noun.command(verbName).aliases([...sameVerbs(verbName, Object.keys(verbs))]);
      addVerb(command, verb, around, onChosen);
    }
  }
  for (const [name, entry] of Object.entries(verbsAlone)) {
    group = entry.group ?? group;
    const { also = [] } = entry;
    const command = program
      .command(name, { hidden: entry.hidden === true })
      .aliases([...also])
      .description(entry.summary)
      .helpGroup(group);
    if (name === asked || also.includes(asked ?? '')) addVerb(command, await entry.load(), around, onChosen);
  }
  const help = new Command('help').argument('[NAME]').description('Print the help of a noun or verb.').helpGroup(group);
  return program.addHelpCommand(help);
}

/** Examples of common tasks for the program's help. */
export const examples: readonly (readonly [line: string, what: string])[] = [
  ['tidegate login https://tidegate.example.test', 'Keep a server and a login; not needed with "npm start".'],
  ['tidegate loadbalancers create web --http 80 --member 192.0.2.10:80 --check http:/', 'Create a load balancer.'],
  ['tidegate loadbalancers decisions web', 'See why its nodes were added, replaced or removed.'],
  ['tidegate gslbs explain www.example.test', 'See why a name has its answer.'],
  ['tidegate backends create fw-1 --help', 'See what a new firewall needs.'],
  ['tidegate cmp-objects show tenant/42', 'See what an object of the CMP became.'],
  ['tidegate audit list', 'See the audit trail.'],
  ['tidegate ha moves', 'See switchovers and failovers of the database.'],
  ['tidegate why web', 'See the state of anything, with its last events and calls.'],
];

function exampleText(lines: readonly (readonly [line: string, what: string])[]): string {
  const width = Math.max(...lines.map(([line]) => line.length));
  return ['For example:', ...lines.map(([line, what]) => `  ${line.padEnd(width)}  ${what}`.trimEnd())].join('\n');
}

const about = [
  'Tidegate is one GraphQL endpoint through which a cloud management platform (CMP) manages the network of its sites. It relays calls to devices',
  'and records what each CMP object became; it runs load balancers, points DNS names to healthy sites, and keeps objects on many clusters.',
  '"tidegate NOUN --help" lists the verbs of a noun; a noun may be singular ("backend"), and some have a short word ("be").',
].join(' ');

/** The command with its parents. */
function wordsOf(command: Command): string {
  const words: string[] = [];
  for (let each: Command | null = command; each !== null; each = each.parent) words.unshift(each.name());
  return words.join(' ');
}

function versionLine({ version, commit }: ProgramVersion): string {
  return `tidegate ${version}${commit === undefined ? '' : ` (commit ${commit})`}`;
}

function addVerb(command: Command, verb: Verb, around: Surroundings, onChosen: (verb: Verb) => void): void {
  const { about: more = [] } = verb;
  command.summary(verb.summary).description([verb.summary, ...(more.length === 0 ? [] : ['']), ...more].join('\n'));
  for (const name of verb.takes) command.argument(name.startsWith('[') ? name : `<${name}>`);
  command.usage([...takenBy(command), '[options]'].join(' '));
  const { examples: lines = [] } = verb;
  if (lines.length > 0) command.addHelpText('after', `\n${exampleText(lines.map((line) => [line, '']))}`);
  if (verb.page !== undefined) command.addHelpText('after', `\nMore: ${verb.page}`);
  verbs.set(command, verb);
  const declared = Object.entries(verb.options).map(([name, option]) => {
    const known = commanderOption(name, option);
    command.addOption(known);
    if (option.also !== undefined) command.addOption(otherSpelling(option.also, name, option, known.attributeName()));
    return { name, option, attribute: known.attributeName() };
  });
  const printsRows = verb.options.json !== undefined;
  if (printsRows) command.addOption(commanderOption('output', outputOption));
  command.action(async (...parsed: unknown[]) => {
    onChosen(verb);
    const names = parsed.slice(0, verb.takes.length).map(wholeName) as string[];
    const missing = missingFor(command);
    if (missing !== undefined) throw new UsageError(missing);
    const given = command.opts<Readonly<Record<string, Given>>>();
    const read = declared.map(({ name, option, attribute }) => [
      name,
      readOption(option, given[attribute], `--${name}`),
    ]);
    const output = printsRows ? outputOption.read(given.output, '--output') : undefined;
    const options = withOutput(Object.fromEntries(read), output);
    const done = verb.run({ ...around, output, options, names } satisfies Call);
    await (verb.mayBeLeft ? untilLeft(done, around.signal) : done);
  });
}

/** The verb of a command, for messages about missing arguments. */
const verbs = new WeakMap<Command, Verb>();

function missingFor(command: Command): string | undefined {
  const verb = verbs.get(command);
  if (verb === undefined) return undefined;
  const attributes = new Map(command.options.map((each) => [each.name(), each.attributeName()]));
  const given = command.opts<Readonly<Record<string, Given>>>();
  const byName = Object.keys(verb.options).map((name) => [name, given[attributes.get(name) ?? '']]);
  return missingText(verb, command.args, Object.fromEntries(byName) as Readonly<Record<string, Given>>);
}

/** If an argument is missing, options may be missing too. */
function missingIn(error: CommanderError, words: readonly Command[]): string | undefined {
  const last = words.at(-1);
  return error.code === 'commander.missingArgument' && last !== undefined ? missingFor(last) : undefined;
}

function wholeName(name: unknown): unknown {
  return typeof name === 'string' ? wholeId(name) : name;
}

/** A text for people keeps what looks like a short id. */
function readOption<Value>(option: Option<Value>, given: Given, name: string): Value {
  if (option.value === 'TEXT' || given === undefined || given === true) return option.read(given, name);
  return option.read(typeof given === 'string' ? wholeId(given) : given.map(wholeId), name);
}

/** JSON output can be printed in the other formats, too (printer.ts). */
function withOutput<Read extends Values<Verb['options']>>(options: Read, output: OutputFormat | undefined): Read {
  if (output === undefined || output === 'json') return output === undefined ? options : { ...options, json: true };
  if (options.json === true) throw new UsageError('give only one of --json and --output');
  return output === 'yaml' || output === 'name' ? { ...options, json: true } : options;
}

function commanderOption(
  name: string,
  { help, value, short, bare, repeated, needed, group, hidden }: Option<unknown>,
): CommanderOption {
  const argument = value === undefined ? '' : bare ? ` [${value}]` : ` <${value}>`;
  const flags = `${short === undefined ? '' : `-${short}, `}--${name}${argument}`;
  const text = needed === true && !/\brequired\b/i.test(help) ? `${help} Required.` : help;
  const option = new CommanderOption(flags, text);
  if (repeated) option.argParser((each: string, before: string[] | undefined) => [...(before ?? []), each]);
  else if (value !== undefined) option.argParser((each: string, before: Given) => onlyOnce(each, before, name));
  if (group !== undefined) option.helpGroup(group);
  if (hidden) option.hideHelp();
  // `--no-lab` is a switch by itself, not the negation of `--lab`.
  option.negate = false;
  return option;
}

/** Its value counts as the option's. */
function otherSpelling(also: string, name: string, option: Option<unknown>, attribute: string): CommanderOption {
  const { short: _short, needed: _needed, ...others } = option;
  const known = commanderOption(also, others).hideHelp();
  if (option.value !== undefined && !option.repeated)
    known.argParser((each: string, before: Given) => onlyOnce(each, before, name));
  return Object.assign(known, { attributeName: () => attribute });
}

/** Refuses a second value, because the first would be lost silently: `apply --prune -f A -f B` would delete the objects of A. */
function onlyOnce(given: string, before: Given, name: string): string {
  if (before === undefined) return given;
  throw new UsageError(`--${name} was given twice: it takes one value`);
}

function takenBy(command: Command): string[] {
  return command.registeredArguments.map((each) => {
    const name = each.variadic ? `${each.name()}...` : each.name();
    return each.required ? name : `[${name}]`;
  });
}

/** Refers to the help of the recognised words. */
function wrongUse(stderr: Output, message: string, program: Command, args: readonly string[]): number {
  const words = understoodBy(program, args).map((each) => each.name());
  stderr.write(`tidegate: ${visible(message)}\nSee '${words.join(' ')} --help'.\n`);
  return exitCodes.usage;
}
