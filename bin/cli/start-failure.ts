// Turns failures at the start of a process into messages for people.
import { SetupError } from '../../embedded/setup-error.ts';
import { ConfigError } from '../../platform/config-error.ts';
import { isConnectionLost, NoPrimaryError } from '../../platform/database/errors.ts';
import { MigrationError } from '../../platform/database/migrate.ts';
import { CommandFailure } from './failures.ts';

/** A CommandFailure for what a person can correct; any other error is returned as it is. */
export function describeFailure(error: unknown): unknown {
  if (error instanceof SetupError || error instanceof ConfigError || error instanceof MigrationError)
    return new CommandFailure(error.message);
  const { code, address, port } = error as { code?: unknown; address?: unknown; port?: unknown };
  if (code === 'EADDRINUSE')
    return new CommandFailure(
      `port ${String(port)} on ${String(address)} is in use: stop the program that uses it, or choose another port with --port`,
    );
  if (code === 'EADDRNOTAVAIL')
    return new CommandFailure(
      `${String(address)} is not an address of this machine: choose another address with --host`,
    );
  if (code === 'EACCES' && port !== undefined)
    return new CommandFailure(`only root may use port ${String(port)}: choose a port above 1023 with --port`);
  if (isConnectionLost(error) || error instanceof NoPrimaryError)
    return new CommandFailure(
      `the database can't be reached: ${error instanceof Error ? error.message : String(error)}`,
    );
  return error;
}
