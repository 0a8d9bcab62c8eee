/**
 * Associates an FPGA image with an ECS image and lists what the ECS image has.
 *
 *     node main.js ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID
 *
 * The token comes from the environment variable FPGA_TOKEN, the library's path from
 * FPGA_ASSOCIATE_LIBRARY. The exit status is the fpga_assoc_status.
 */

import { Client, FpgaAssociateError, INVALID_ARGUMENT } from './fpga_associate.js';

async function main() {
  const [endpoint, projectId, fpgaId, ecsId, ...more] = process.argv.slice(2);
  if (ecsId === undefined || more.length > 0) {
    console.error('usage: main.js ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID');
    return INVALID_ARGUMENT;
  }
  const token = process.env.FPGA_TOKEN;
  if (token === undefined) {
    console.error('error: the environment variable FPGA_TOKEN is not set');
    return INVALID_ARGUMENT;
  }

  try {
    await associateAndList(endpoint, token, projectId, fpgaId, ecsId);
  } catch (error) {
    if (!(error instanceof FpgaAssociateError)) throw error;
    report(error);
    return error.status;
  }
  return 0;
}

async function associateAndList(endpoint, token, projectId, fpgaId, ecsId) {
  const client = new Client(endpoint);
  try {
    await client.associate(token, projectId, fpgaId, ecsId);
    console.log(`FPGA image ${fpgaId} is associated with ECS image ${ecsId}`);
    for (const pair of await client.associations(token, projectId, { ecsId })) {
      const isProtected = pair.isProtected ? 'protected' : 'not protected';
      const size = `${pair.sizeMb} MB`;
      console.log([pair.ecsId, pair.fpgaId, pair.status, size, isProtected, pair.name].join('  '));
    }
  } finally {
    await client.close();
  }
}

function report(error) {
  console.error(`error: ${error.message}`);
  console.error(`  status:     ${error.statusName} (${error.status})`);
  if (error.code) console.error(`  code:       ${error.code}`);
  if (error.requestId) console.error(`  request id: ${error.requestId}`);
  if (error.outcomeUnknown) console.error('  outcome:    unknown, the service may have acted');
  console.error(`  help:       ${error.help}`);
}

process.exitCode = await main();
