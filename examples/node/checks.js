/**
 * Takes the wrapper to its edges and prints what it meets; the test compares.
 *
 *     node checks.js ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID CA_FILE HOST_THAT_HANGS_UP
 */

import assert from 'node:assert';
import { readFileSync } from 'node:fs';

import {
  Client,
  FpgaAssociateError,
  OBSERVED_APART,
  OBSERVED_ASSOCIATED,
  OBSERVED_NOTHING,
} from './fpga_associate.js';

const [endpoint, projectId, fpgaId, ecsId, caFile, broken] = process.argv.slice(2);
const token = process.env.FPGA_TOKEN;

async function failure(call) {
  try {
    await call();
  } catch (error) {
    assert(error instanceof FpgaAssociateError, error);
    return error;
  }
  assert.fail('no error');
}

/** Whether the call met what belongs to it, and not to another call. */
async function oneCall(client, number) {
  if (number % 2 === 0) {
    const pairs = await client.associations(token, projectId, { ecsId });
    return pairs.length === 1;
  }
  const unknown = number.toString(16).padStart(32, '0');
  const error = await failure(() => client.associate(token, projectId, unknown, ecsId));
  return error.code === 'Ecs.0031' && error.message.includes(unknown);
}

const OBSERVED = {
  [OBSERVED_NOTHING]: 'nothing',
  [OBSERVED_ASSOCIATED]: 'associated',
  [OBSERVED_APART]: 'apart',
};
const observed = (error) => OBSERVED[error.observed];
const outcome = (error) => (error.outcomeUnknown ? 'unknown' : 'known');
const list = async (client, images) => {
  const pairs = await client.associations(token, projectId, images);
  return pairs.length;
};

const plain = new Client(endpoint);
console.log('no settings, ECS image alone:', await list(plain, { ecsId }));
await plain.close();
const client = new Client(endpoint, { caFile, timeoutMs: 20_000, userAgent: 'checks/1' });
console.log('FPGA image alone:', await list(client, { fpgaId }));
client.closeIdle();
const ofPem = new Client(endpoint, { caPem: readFileSync(caFile, 'utf8') });
console.log('authority from memory:', await list(ofPem, { ecsId }));
await ofPem.close();

for (const [what, call] of [
  ['no endpoint', () => new Client(null)],
  ['no token', () => client.associate(null, projectId, fpgaId, ecsId)],
  ['no ECS image', () => client.associate(token, projectId, fpgaId)],
  ['no image at all', () => client.associations(token, projectId)],
  ['zero byte', () => client.associate(token, projectId, `${fpgaId}\0`, ecsId)],
  ['no such CA file', () => new Client(endpoint, { caFile: '/nonexistent/ca.pem' })],
  ['no client certificate', () => new Client(endpoint, { clientCertificate: 'none' })],
]) {
  const error = await failure(call);
  console.log(`${what}: ${error.statusName}`);
}

const refusal = await failure(() => client.associate(token, projectId, '0'.repeat(32), ecsId));
const withId = refusal.requestId && refusal.message.includes(refusal.requestId);
console.log(
  `unknown image: ${refusal.statusName} ${refusal.httpStatus} ${refusal.code}`,
  `${withId ? 'with' : 'without'} request id, outcome ${outcome(refusal)}`,
);

const other = new Client(broken, { confirm: false });
const lost = await failure(() => other.associate(token, projectId, fpgaId, ecsId));
console.log(
  `lost connection: ${lost.statusName} ${lost.httpStatus},`,
  `outcome ${outcome(lost)}, observed ${observed(lost)}`,
);
await other.close();

const met = await Promise.all(Array.from({ length: 200 }, (_, number) => oneCall(client, number)));
const right = met.filter(Boolean).length;

const idempotent = new Client(endpoint, { idempotent: true });
const again = await failure(() => client.associate(token, projectId, fpgaId, ecsId));
console.log(`associated already: ${again.statusName}, observed ${observed(again)}`);
await idempotent.associate(token, projectId, fpgaId, ecsId);
console.log('associated already, idempotent: allowed');
await client.disassociate(token, projectId, fpgaId, ecsId);
console.log('taken away, left:', await list(client, { ecsId }));
const gone = await failure(() => client.disassociate(token, projectId, fpgaId, ecsId));
console.log(`taken away already: ${gone.statusName}, observed ${observed(gone)}`);
await idempotent.disassociate(token, projectId, fpgaId, ecsId);
console.log('taken away already, idempotent: allowed');
await idempotent.close();
await client.close();
await client.close();
await failure(() => client.associate(token, projectId, fpgaId, ecsId));
console.log('closed: refused');
console.log('calls at once:', right);
