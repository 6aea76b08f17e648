// `npm start -- --ha`: the primary's host is killed under a CMP's load.
// needs: keepalived, etcd-server, mariadb-backup, libfaketime, e2fsprogs, iproute2, iputils-ping, system, root
import { describeDemo } from './support/ha-demo.ts';
import { testLostPrimary } from './support/ha-demo-losses.ts';

describeDemo('a host that is killed', () => {
  testLostPrimary('kill');
});
