// Ports that listeners may not have.
import type { InputCheck } from '../../../../platform/input/input.ts';
import type { PartSpec } from '../../spec/part-kind.ts';

/** Adds a fault if a listener's port is the one at which nodes answer health checks. */
export function checkPort(
  check: InputCheck,
  { port }: PartSpec,
  taken: readonly number[],
  at: readonly string[] = [],
): void {
  if (taken.includes(Number(port)))
    check.fault(
      [...at, 'port'].join('.'),
      `port ${String(port)} is used by the health checks of nodes; choose another`,
      'IN_USE',
    );
}
