// Jest's environment for Node, which fails a test for a rejection that nobody handles, save the one that the connector leaves
// behind (platform/database/connector-rejections.ts): tests end databases at every moment.
import { TestEnvironment } from 'jest-environment-node';
import { isBrokenConnect } from '../../platform/database/connector-rejections.ts';

interface TestEvent {
  readonly name: string;
  readonly error?: unknown;
  readonly promise?: Promise<unknown>;
}

export default class DatabaseTestEnvironment extends TestEnvironment {
  handleTestEvent({ name, error, promise }: TestEvent): void {
    // Once it is handled, Jest forgives it.
    if (name === 'error' && isBrokenConnect(error)) promise?.catch(() => undefined);
  }
}
