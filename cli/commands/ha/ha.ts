// `tidegate ha`: two data hosts and a witness.
import type { Noun } from '../../verb.ts';
import { agent } from './agent.ts';
import { history } from './history.ts';
import { init, invite } from './init.ts';
import { leave } from './leave.ts';
import { lost } from './lost.ts';
import { moves } from './moves.ts';
import { pause, resume } from './pause.ts';
import { promote } from './promote.ts';
import { reinit } from './reinit.ts';
import { rejoin } from './rejoin.ts';
import { renewCertificates } from './renew-certificates.ts';
import { status } from './status.ts';
import { switchover } from './switchover.ts';
import { tag } from './tag.ts';

export const ha: Noun = {
  ...{
    init,
    invite,
    agent,
    status,
    switchover,
    promote,
    rejoin,
    reinit,
    tag,
    leave,
    pause,
    resume,
    history,
    lost,
    moves,
  },
  'renew-certificates': renewCertificates,
};
