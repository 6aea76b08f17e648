// FortiOS has a command line, but no argument ever gets there, because the typed operations have none. The check is that the typed text
// does not change, whatever the arguments are.
import { validateObject } from '../../../platform/input/json-schema.ts';
import { fortios } from '../../../subgraphs/relay/drivers/fortios/driver.ts';
import { contextOf, isSame, type Subject } from '../subject.ts';

const typedLines: Readonly<Record<string, readonly string[]>> = {
  'system.info': ['get system status'],
  'config.save': ['config global', 'execute cfg save', 'end'],
};

const context = contextOf(fortios, 'ssh', { multiVdom: true });
const base = (operation: string) => fortios.operations.get(operation)?.example ?? {};

/** It is determined from the operations themselves, so that a new operation is included. */
const typed = [...fortios.operations.values()].filter(({ name, argumentsSchema, render }) => {
  const checked = validateObject(argumentsSchema, base(name));
  return checked.ok && render(checked.args, context).kind === 'cli';
});

export const fortiosSubject: Subject = {
  driver: fortios,
  operations: typed,
  context,
  base,
  misread(operation, _args, call) {
    const lines = typedLines[operation];
    if (call.kind !== 'cli') return `a call of kind ${call.kind}`;
    return isSame(call.lines, lines) ? undefined : `other lines are typed: ${call.lines.join('; ')}`;
  },
};
