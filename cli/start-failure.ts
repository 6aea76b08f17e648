// Turns failures at the start of a process into messages for people.
import { SetupError } from '../embedded/setup-error.ts';
import { ConfigError } from '../platform/errors/config-error.ts';
import { isConnectionLost, isReadOnly, MigrationError, NoPrimaryError } from '../platform/errors/database-errors.ts';
import { GeneratedSchemaError } from '../platform/graph/generated-schema.ts';
import { CommandFailure } from './failures.ts';

const expected = [SetupError, ConfigError, MigrationError, GeneratedSchemaError];

/** A CommandFailure for errors that a person can correct. Other errors are returned unchanged. */
export function describeFailure(error: unknown): unknown {
  if (expected.some((each) => error instanceof each)) return new CommandFailure((error as Error).message);
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
  if (isReadOnly(error))
    return new CommandFailure(
      'the database is read-only: end its read_only mode, or name the primary in database.host',
    );
  if (isConnectionLost(error) || error instanceof NoPrimaryError)
    return new CommandFailure(
      `the database can't be reached: ${error instanceof Error ? error.message : String(error)}`,
    );
  return error;
}
