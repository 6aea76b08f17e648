// `tidegate audit`: the audit trail, listed, verified in place, or exported for verification elsewhere.
import type { Noun } from '../../verb.ts';
import { exportTrail } from './export.ts';
import { list } from './list.ts';
import { sign } from './sign.ts';
import { verify } from './verify.ts';

export const audit: Noun = { list, verify, export: exportTrail, sign };
