// Why a process could not be started, in words for the person who tried.
import { SetupError } from '../../embedded/setup-error.ts';
import { ConfigError } from '../../platform/config.ts';
import { isConnectionLost } from '../../platform/database/errors.ts';
import { MigrationError } from '../../platform/database/migrate.ts';
import { CommandFailure } from './failures.ts';

/** A CommandFailure for what a person can correct; any other error is returned as it is. */
export function describeFailure(error: unknown): unknown {
  if (error instanceof SetupError || error instanceof ConfigError || error instanceof MigrationError)
    return new CommandFailure(error.message);
  const { code, address, port } = error as { code?: unknown; address?: unknown; port?: unknown };
  if (code === 'EADDRINUSE')
    return new CommandFailure(
      `port ${String(port)} on ${String(address)} is in use: end what uses it, or choose another with --port`,
    );
  if (code === 'EADDRNOTAVAIL')
    return new CommandFailure(`${String(address)} is not an address of this machine: choose another with --host`);
  if (code === 'EACCES' && port !== undefined)
    return new CommandFailure(`port ${String(port)} may be used by root only: choose one above 1023 with --port`);
  if (isConnectionLost(error))
    return new CommandFailure(
      `the database can't be reached: ${error instanceof Error ? error.message : String(error)}`,
    );
  return error;
}
