import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runProcess, tempDir } from '../../test/support/index.ts'

const PROGRAM = '/usr/sbin/nginx'
const INSTALL_DEADLINE_MS = 300_000

/** Installs Debian's nginx where it is missing. */
export async function installNginx(): Promise<void> {
  if (existsSync(PROGRAM)) return
  const command = 'apt-get update && apt-get install -y --no-install-recommends nginx-light'
  const { code, output } = await installed(command)
  if (code !== 0 || !existsSync(PROGRAM)) throw new Error(`nginx could not be installed:\n${output.slice(-2000)}`)
}

async function installed(command: string) {
  const { code, stdout, stderr } = await runProcess('sh', ['-c', command], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    deadlineMs: INSTALL_DEADLINE_MS,
  })
  return { code, output: stdout + stderr }
}

/** One worker that passes on without buffering, over connections that are kept; nothing is logged. */
const configuration = (port: number, upstreamPort: number, folder: string) => `
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log error;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_body_buffer_size 64k;
  keepalive_requests 100000000;
  upstream model {
    server 127.0.0.1:${upstreamPort};
    keepalive 1024;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://model;
      proxy_http_version 1.1;
      proxy_set_header connection "";
      proxy_buffering off;
    }
  }
}
`

/** The command line of an nginx of its own, in a folder of its own. */
export function nginxCommand(port: number, upstreamPort: number): readonly string[] {
  const folder = tempDir()
  mkdirSync(join(folder, 'logs'))
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, configuration(port, upstreamPort, folder))
  return [PROGRAM, '-p', folder, '-c', file]
}
