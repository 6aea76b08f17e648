// Options of the verbs that start processes. They load nothing: `up` as root starts
// with little code (compose/service-process.ts).
import { flag, text } from './option.ts';

export const configOption = text('FILE', 'Settings in YAML or JSON; TIDEGATE_… variables take precedence.');
export const logLevelOption = text('LEVEL', 'One of trace, debug, info (default), warn, error or silent.');
export const asRootOption = flag('Serve requests as root, if root starts it.');
