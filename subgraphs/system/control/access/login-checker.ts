// Logins that do not come through a gateway. The check is the same as in the mutation `login`, without a session.
import type { CheckLogin } from '../../../../platform/caller/access.ts';
import { inLane } from '../../../../platform/caller/caller.ts';
import { Refusal } from '../../../../platform/errors/errors.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { SessionService } from './session-service.ts';

export function loginChecker(sessions: SessionService): CheckLogin {
  return async (credentials, { address, toldBy, via }) => {
    const client = { clientAddress: address, addressToldBy: toldBy };
    const context = { identity: null, requestId: newUuid(), ...client, loaders: new Map() };
    try {
      return { identity: await inLane('credentials', () => sessions.check(context, credentials, via)) };
    } catch (error) {
      const [refused] = error instanceof Refusal ? error.errors : [];
      if (refused === undefined) throw error;
      const { message, retryAfterMs } = refused;
      const code = refused.code === 'RATE_LIMITED' ? 'RATE_LIMITED' : 'BAD_CREDENTIALS';
      return { refused: { code, message, ...(retryAfterMs == null ? {} : { retryAfterMs }) } };
    }
  };
}
