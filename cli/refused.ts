// Failures of a verb's request, with the faulty option in place of the graph's field.
import { CommandFaults } from './failures.ts';
import { GraphFailure, RefusedMutation, refusalText } from './graph-client.ts';
import { fieldOf, optionAtFault, type Sent } from './option-at-fault.ts';

/** The same error if it has no field, or no given option corresponds to it. */
export function withOptions(error: unknown, sent: Sent): unknown {
  if (error instanceof RefusedMutation) {
    const texts = error.userErrors.map((each) => {
      const option = optionAtFault(each.field, sent);
      return option === undefined ? refusalText(each) : `${each.code}: ${each.message} (${option})`;
    });
    return new CommandFaults(texts);
  }
  if (!(error instanceof GraphFailure)) return error;
  const fault = faultOf(error.text);
  const option = fault === undefined ? undefined : optionAtFault(fault.field, sent);
  return fault === undefined || option === undefined
    ? error
    : new GraphFailure(`${fault.reason} (${option})`, error.code);
}

interface Fault {
  readonly field: readonly string[];
  readonly reason: string;
}

/** Path of a variable that the gateway refuses: `Variable "$input" got an invalid value at "input.checks[0].port"; Port: …`. */
function faultOf(message: string): Fault | undefined {
  const parts = /^Variable "\$(\w+)" got (?:an )?invalid value(?: at "([\w.[\]]+)")?(?:; |\.)([\s\S]*)$/.exec(message);
  if (parts === null) return undefined;
  const [, variable = '', at = variable, reason = ''] = parts;
  const [, missing] = /^Field "(?:\w+\.)?(\w+)" of required type .* was not provided\.$/.exec(reason) ?? [];
  if (missing !== undefined) return { field: [...fieldOf(at), missing], reason: 'a value is missing' };
  return { field: fieldOf(at), reason: reason === '' ? 'the value is not allowed' : reason.replace(/\.$/, '') };
}
