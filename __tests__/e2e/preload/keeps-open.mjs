// A server with a connection that neither side closes.
import { connect, createServer } from 'node:net';

const server = createServer().listen(0, '127.0.0.1', () => connect(server.address().port, '127.0.0.1'));
