// `tidegate audit`: the audit trail, verified in place or taken away to be verified elsewhere.
import type { Noun } from '../../cli/verb.ts';
import { exportTrail } from './export.ts';
import { sign } from './sign.ts';
import { verify } from './verify.ts';

export const audit: Noun = { verify, export: exportTrail, sign };
