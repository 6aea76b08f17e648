// Parses, validates and plans a published operation before a client sends it.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { OperationTypeNode } from 'graphql';
import { reasonOf } from '../../platform/log/counted-line.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { Executor } from '../supergraph/executor.ts';
import type { Operations } from './operations.ts';

interface Preparation {
  readonly operations: Operations;
  readonly executor: Executor;
  readonly log: Logger;
}

/** Never throws. An operation that does not fit the graph is logged, and refused when it is sent. */
export async function prepareOperation(
  { operations, executor, log }: Preparation,
  hash: string,
  text: string,
): Promise<void> {
  // Lets requests of clients run between two operations.
  await nextTurn();
  try {
    const { operation, ...prepared } = await operations.prepare(hash, text);
    // A subscription is planned with the variables of its client.
    if (operation.operation !== OperationTypeNode.SUBSCRIPTION)
      await executor.prepare({ ...prepared, operationName: operation.name?.value });
  } catch (error) {
    log.warn({ hash, reason: reasonOf(error) }, 'a published operation does not fit the graph');
  }
}
