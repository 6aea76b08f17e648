// Jest's environment for Node, which fails a test for an unhandled rejection, except the one left behind by the connector
// (platform/database/connector-rejections.ts): tests stop databases at any moment.
import { TestEnvironment } from 'jest-environment-node';
import { isBrokenConnect, toleratesBrokenConnects } from '../../platform/database/connector-rejections.ts';

// Also between two files, when Jest's own handlers are gone.
toleratesBrokenConnects(process);

interface TestEvent {
  readonly name: string;
  readonly error?: unknown;
  readonly promise?: Promise<unknown>;
}

export default class DatabaseTestEnvironment extends TestEnvironment {
  handleTestEvent({ name, error, promise }: TestEvent): void {
    // Once it is handled, Jest ignores it.
    if (name === 'error' && isBrokenConnect(error)) promise?.catch(() => undefined);
  }
}
