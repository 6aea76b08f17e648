import { type ReplyRows, rpcReply } from '../../support/replies.ts';

const lock = (tag: string) => rpcReply({ step: 'lock', errors: [{ tag, message: 'no', path: '' }] });

export const replies: ReplyRows = {
  unreadable: [['no answer of NETCONF', rpcReply({ step: 'read', fault: 'no rpc-reply' })]],
  changes: [
    ['a truncated reply', rpcReply({ truncated: true }), 'UNKNOWN REPLY_TOO_LONG'],
    // Nothing of the call was sent.
    ['a lock of another', lock('lock-denied'), 'FAILED DEVICE_BUSY'],
    ['a lock in use', lock('in-use'), 'FAILED DEVICE_BUSY'],
    ['no room for a lock', lock('resource-denied'), 'FAILED DEVICE_BUSY'],
    ['no right to a lock', lock('access-denied'), 'FAILED DEVICE_REFUSED'],
    ['no locks', lock('operation-not-supported'), 'FAILED DEVICE_REFUSED'],
  ],
};
