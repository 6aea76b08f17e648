// `tidegate users create NAME`: in a running installation or, with --config, directly in its database. The second way makes the first administrator,
// and gives a new password to one whose password is lost.
import { UsageError } from '../../failures.ts';
import { kindVerb } from '../../kinds/kind-noun.ts';
import { configOption } from '../../local-options.ts';
import { flag, type Option, type Options, type Values } from '../../option.ts';
import { printerOf } from '../../printer.ts';
import { connectionOptions, readSecretFile } from '../../remote-verb.ts';
import { withSystem } from '../../system-alone.ts';
import type { Call, Verb } from '../../verb.ts';

const remote = kindVerb('User', 'create');

const direct = {
  config: configOption,
  recover: flag('With --config: give an existing user a new password, enable the user and end all sessions.'),
} as const;

const options: Options = { ...remote.options, admin: switchToo(remote.options.admin), ...direct };

/** They have no meaning without an endpoint. */
const remoteOnly = [...Object.keys(connectionOptions), 'from', 'wait'];

export const create: Verb = {
  ...remote,
  about: [
    'With --config it needs no running Tidegate: it writes to the database of these settings. That is how an',
    'installation gets its first administrator. Without --user-password-file it then makes a password and prints it once.',
  ],
  examples: [
    ...(remote.examples ?? []),
    'tidegate users create alice --admin --config /etc/tidegate/control.yaml',
    'tidegate users create alice --recover --config /etc/tidegate/control.yaml',
  ],
  options,
  alsoNeeds: (given) => (given.has('config') ? [] : (remote.alsoNeeds?.(given) ?? [])),
  async run(call) {
    const { config, recover } = call.options as Values<typeof direct>;
    if (config !== undefined) return createDirectly(call, config);
    if (recover)
      throw new UsageError('--recover needs --config FILE: a lost password is mended in the database itself');
    await remote.run(call);
  },
};

async function createDirectly(call: Call, config: string): Promise<void> {
  const { options: given, names, env } = call;
  const extra = remoteOnly.find((name) => given[name] !== undefined && given[name] !== false);
  if (extra !== undefined) throw new UsageError(`give --config or --${extra}, not both`);
  const file = given['user-password-file'] as string | undefined;
  const wish = {
    name: names[0] ?? '',
    ...(file === undefined ? {} : { password: await readSecretFile(file) }),
    ...(given.admin === undefined ? {} : { admin: given.admin === true }),
  };
  const recover = given.recover === true;
  const { password } = await withSystem(config, env, (firstStart) =>
    recover ? firstStart.recoverUser(wish) : firstStart.createUser(wish),
  );
  const printer = printerOf(call);
  if (given.json === true || call.output !== undefined) return printer.json({ name: wish.name, password });
  await printer.line(recover ? `user ${wish.name} can log in again` : `user ${wish.name} is created`);
  if (password !== undefined) await printer.line(`password: ${password}`);
}

/** The option alone means true. */
function switchToo(option: Option<unknown> | undefined): Option<unknown> {
  if (option === undefined) throw new Error('the graph has no field for it');
  return { ...option, bare: true, read: (given, name) => given === true || option.read(given, name) };
}
