// `tidegate keys`: rotates the key files. What was made with older keys can still be read.
import { openKeyring, openOrMakeKeyring, rotateKeyring } from '../../platform/secrets/keyring.ts';
import { Arguments, type Command, CommandFailure, exitCodes, UsageError } from './command.ts';

export const keys: Command = {
  name: 'keys',
  usage: `keys make FILE
    keys list FILE
    keys rotate FILE`,
  options: {},
  async run(context) {
    const [action, file, ...more] = new Arguments(keys, context.args).positionals;
    if (file === undefined || more.length > 0) throw new UsageError('an action and one key file are needed');
    try {
      switch (action) {
        case 'make':
          context.stdout.write(`${(await openOrMakeKeyring(file)).ids().join('\n')}\n`);
          return exitCodes.ok;
        case 'list':
          // The first is the active one. Ids only: keys are never printed.
          context.stdout.write(`${(await openKeyring(file)).ids().join('\n')}\n`);
          return exitCodes.ok;
        case 'rotate':
          context.stdout.write(`${await rotateKeyring(file)}\n`);
          context.stderr.write('tidegate: copy the file to every process that uses it, then restart each in turn\n');
          return exitCodes.ok;
        default:
          throw new UsageError(`'${action}' is none of make, list, rotate`);
      }
    } catch (error) {
      if (error instanceof UsageError) throw error;
      throw new CommandFailure(error instanceof Error ? error.message : String(error));
    }
  },
};
