// `npm start -- --ha`: the primary's gateway is killed under a CMP's load.
// needs: keepalived, etcd-server, mariadb-backup, libfaketime, e2fsprogs, iproute2, iputils-ping, system, root
import { describeDemo } from './support/ha-demo.ts';
import { testLostGateway } from './support/ha-demo-losses.ts';

describeDemo('a gateway that is killed', () => {
  testLostGateway('SIGKILL');
});
