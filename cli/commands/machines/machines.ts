// `tidegate machines`: processes on other hosts, each with its own identity.
import type { Noun } from '../../verb.ts';
import { create } from './create.ts';
import { issue } from './issue.ts';
import { list } from './list.ts';
import { revoke } from './revoke.ts';
import { show } from './show.ts';
import { update } from './update.ts';

export const machines: Noun = { list, show, create, update, revoke, issue };
