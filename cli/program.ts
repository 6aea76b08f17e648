// The `tidegate` program, made from its table. Commander reads the command line; help, usage errors and failures look the same for
// every noun and verb.
import { Command, CommanderError, Option as CommanderOption } from 'commander';
import { type ProgramVersion, programVersion } from '../platform/process/program-version.ts';
import { CommandFailure, exitCodes, Interruption, SilentFailure, UsageError } from './failures.ts';
import { isAbort, untilLeft } from './interruption.ts';
import type { Given, Option } from './option.ts';
import { nouns, verbsAlone } from './table.ts';
import type { Call, Output, Surroundings, Verb } from './verb.ts';
import { visible } from './visible.ts';

interface ProgramRun extends Surroundings {
  /** The arguments after `tidegate`. */
  readonly args: readonly string[];
}

/** Resolves with the exit code; bugs are thrown. */
export async function runTidegate({ args, ...around }: ProgramRun): Promise<number> {
  let chosen: Verb | undefined;
  const program = await programFor(args, around, (verb) => {
    chosen = verb;
  });
  if (args.length === 0) {
    around.stdout.write(program.helpInformation());
    return exitCodes.usage;
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCodes.ok;
      return wrongUse(around.stderr, commanderMessage(error, program, args[0]), program, args);
    }
    if (around.signal.aborted) return interrupted(error, chosen, around);
    if (error instanceof UsageError) return wrongUse(around.stderr, error.message, program, args);
    if (error instanceof SilentFailure) return error.exitCode;
    if (!(error instanceof CommandFailure)) throw error;
    around.stderr.write(`tidegate: ${visible(error.message)}\n`);
    return error.exitCode;
  }
}

/**
 * The one place that decides how a command ends that its user interrupts: it never fails. What runs until its user ends it has done its
 * work; any other command was cut short, unless it was done all the same. Bugs are thrown.
 */
function interrupted(error: unknown, verb: Verb | undefined, { signal, stderr }: Surroundings): number {
  // Another process has failed while it ended, and has said so.
  if (error instanceof SilentFailure) return verb?.endsBySignal ? error.exitCode : exitCodes.interrupted;
  const isExpected = error instanceof CommandFailure || error instanceof UsageError || isAbort(error, signal);
  if (!isExpected) throw error;
  if (verb?.endsBySignal) return exitCodes.ok;
  const failure = error instanceof CommandFailure ? error : new Interruption();
  stderr.write(`tidegate: ${visible(failure.message)}\n`);
  return exitCodes.interrupted;
}

/** Loads only the noun or verb on the command line. */
async function programFor(
  args: readonly string[],
  around: Surroundings,
  onChosen: (verb: Verb) => void,
): Promise<Command> {
  const program = new Command('tidegate')
    .usage('NOUNS VERB [NAME] [options]')
    .description('Tidegate relays calls of a cloud management platform to network devices.')
    .exitOverride()
    // Errors are written in one place, with a hint.
    .configureOutput({
      writeOut: (text) => around.stdout.write(text),
      writeErr: () => undefined,
      getOutHelpWidth: () => around.stdout.columns ?? 120,
      getOutHasColors: () => false,
    })
    .configureHelp({ subcommandTerm: (command) => [command.name(), ...takenBy(command)].join(' ') })
    .helpOption('-h, --help', 'Print this help.')
    .version(versionLine(await programVersion()), '--version', 'Print the version and, if it is known, the commit.')
    .helpCommand('help [NAME]', 'Print the help of a noun or verb.');
  const asked = args.find((each) => !each.startsWith('-') && each !== 'help');
  program.commandsGroup('Nouns, each with its verbs:');
  for (const [name, entry] of Object.entries(nouns)) {
    const noun = program.command(name).usage('VERB …').description(entry.summary).helpCommand(false);
    if (name !== asked) continue;
    for (const [verbName, verb] of Object.entries(await entry.load()))
      addVerb(noun.command(verbName), verb, around, onChosen);
  }
  program.commandsGroup('Verbs without a noun:');
  for (const [name, entry] of Object.entries(verbsAlone)) {
    const command = program.command(name).description(entry.summary);
    if (name === asked) addVerb(command, await entry.load(), around, onChosen);
  }
  return program;
}

function versionLine({ version, commit }: ProgramVersion): string {
  return `tidegate ${version}${commit === undefined ? '' : ` (commit ${commit})`}`;
}

function addVerb(command: Command, verb: Verb, around: Surroundings, onChosen: (verb: Verb) => void): void {
  command.description(verb.summary);
  for (const name of verb.takes) command.argument(name.startsWith('[') ? name : `<${name}>`);
  command.usage([...takenBy(command), '[options]'].join(' '));
  const declared = Object.entries(verb.options).map(([name, option]) => {
    const known = commanderOption(name, option);
    command.addOption(known);
    return { name, option, attribute: known.attributeName() };
  });
  command.action(async (...parsed: unknown[]) => {
    onChosen(verb);
    const names = parsed.slice(0, verb.takes.length) as string[];
    const given = command.opts<Readonly<Record<string, Given>>>();
    const read = declared.map(({ name, option, attribute }) => [name, option.read(given[attribute], `--${name}`)]);
    const done = verb.run({ ...around, options: Object.fromEntries(read), names } satisfies Call);
    await (verb.mayBeLeft ? untilLeft(done, around.signal) : done);
  });
}

function commanderOption(
  name: string,
  { help, value, short, repeated, needed, group }: Option<unknown>,
): CommanderOption {
  const flags = `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` <${value}>`}`;
  const option = new CommanderOption(flags, help).makeOptionMandatory(needed === true);
  if (repeated) option.argParser((each: string, before: string[] | undefined) => [...(before ?? []), each]);
  if (group !== undefined) option.helpGroup(group);
  // `--no-lab` is a switch by itself, not the negation of `--lab`.
  option.negate = false;
  return option;
}

function takenBy(command: Command): string[] {
  return command.registeredArguments.map((each) => {
    const name = each.variadic ? `${each.name()}...` : each.name();
    return each.required ? name : `[${name}]`;
  });
}

function commanderMessage(error: CommanderError, program: Command, asked: string | undefined): string {
  const noun = program.commands.find((each) => each.name() === asked);
  if (error.code === 'commander.help' && noun !== undefined)
    return `${noun.name()} needs a verb: one of ${noun.commands.map((each) => each.name()).join(', ')}`;
  return error.message.replace(/^error: /, '').replaceAll('\n', ' ');
}

/** Points to the help of the words that were recognised. */
function wrongUse(stderr: Output, message: string, program: Command, args: readonly string[]): number {
  const understood = [program];
  for (const word of args) {
    const next = understood.at(-1)?.commands.find((each) => each.name() === word);
    if (next === undefined) break;
    understood.push(next);
  }
  const words = understood.map((each) => each.name()).join(' ');
  stderr.write(`tidegate: ${visible(message)}\nSee '${words} --help'.\n`);
  return exitCodes.usage;
}
