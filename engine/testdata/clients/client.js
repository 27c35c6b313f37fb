// A client as Node has it; it does and prints what client.py does.
'use strict';
const crypto = require('crypto');
const http = require('http');

const [host, port] = process.argv[2].split(':');
const size = Number(process.argv[3]);
const piece = Buffer.from('0123456789abcdef'.repeat(4096));
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const sockets = new Set();

function ask(method, path, headers, send, digest) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, method, path, headers, agent }, (answer) => {
      const hash = crypto.createHash('sha256');
      let text = '';
      answer.on('data', (part) => (digest ? hash.update(part) : (text += part)));
      answer.on('end', () => resolve(digest ? hash.digest('hex') : text));
      answer.on('error', reject);
    });
    request.on('socket', (socket) => sockets.add(socket));
    request.on('error', reject);
    send(request);
  });
}

function body(request) {
  let left = size / piece.length;
  const more = () => {
    while (left > 0) {
      left--;
      if (!request.write(piece)) {
        request.once('drain', more);
        return;
      }
    }
    request.end();
  };
  more();
}

const nothing = (request) => request.end();

async function main() {
  let page;
  for (let i = 0; i < 20; i++) {
    page = await ask('GET', '/page', {}, nothing, false);
  }
  console.log(page);
  console.log(await ask('POST', '/sum', { 'Content-Length': size }, body, false));
  console.log(await ask('POST', '/sum', {}, body, false));
  console.log(await ask('GET', `/length/${size}`, {}, nothing, true));
  console.log(await ask('GET', `/chunked/${size}`, {}, nothing, true));
  console.log(sockets.size === 1 ? 'one' : 'several');
  agent.destroy();
}

main();
