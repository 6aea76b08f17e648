// `tidegate backup`: encrypted copies of the database on this host, with its binary log.
import type { Noun } from '../../verb.ts';
import { create } from './create.ts';
import { key } from './key.ts';
import { verify } from './verify.ts';

export const backup: Noun = { create, verify, key };
