package diff

// sample sets every field of conf.Config somewhere to another value than its zero value. PAGE is the path of a page, ANON an anonymous ACL.
const sample = `
global
  maxconn 2000
  ulimit-n 9000
  strict-limits
  nbthread 2
  user u
  group g
  chroot /c
  setcap cap_net_raw,cap_net_admin
  daemon
  master-worker
  pidfile /p
  log-tag tag
  log 127.0.0.1:99 len 2000 format iso local0 info err
  log [fe80::1%eth0]:9 local0
  log loghost:9 local0
  log /dev/log local0
  log file@/l local0
  stats socket /run/s.sock mode 600 user u group g uid 1 gid 2 level admin
  stats socket abns@s
  stats socket fd@7
  stats socket localhost:99
  stats socket 127.0.0.1:98
  stats timeout 5s
  hard-stop-after 1h
  buffer_budget 1MiB
frontend web
  mode http
  bind [::]:80 v4v6 name n maxconn 5 backlog 6 tfo
  bind [::1]:81 v6only
  bind localhost:82
  bind /run/b.sock mode 600 user u group g uid 1 gid 2
  bind fd@8
  maxconn 100
  backlog 50
  log 127.0.0.1:99 len 2000 format iso local0 info err
  log [fe80::1%eth0]:9 local0
  log loghost:9 local0
  log file@/l local0
  log /dev/log local0
  log-format "%{+Q}ci %[src]"
  option dontlognull
  option dontlog-normal
  option log-separate-errors
  option http-ignore-probes
  option http-server-close
  option forwardfor except 10.0.0.0/8 header X-F if-none
  timeout client 1s
  timeout client-fin 2s
  timeout http-request 3s
  timeout http-keep-alive 4s
  errorfile 503 PAGE
  errorloc303 502 /sorry
  capture request header Host len 9
  capture request header From len 9
  capture response header Server len 8
  capture response header Via len 8
  capture cookie C len 7
  monitor-uri /alive
  monitor fail if !x
  monitor fail unless x
  monitor fail if !{ ANON }
  acl x req.hdr(host),field(1,:) -i -m str -f /pattern a b
  acl x src 10.0.0.1
  tcp-request connection accept unless x
  tcp-request connection reject if !{ ANON } or x
  tcp-request inspect-delay 5s
  tcp-request content accept unless x
  tcp-request content reject if !{ ANON } or x
  http-request deny unless x
  http-request deny status 429 content-type text/plain string busy hdr A b if !x
  http-request return status 200 content-type a/b lf-string "%ci" hdr A b if x
  http-request return status 200 content-type a/b file PAGE if x
  http-request return status 503 errorfile PAGE if x
  http-request deny default-errorfiles if x
  http-request redirect prefix / code 301 drop-query append-slash clear-cookie A if !{ ANON }
  http-request redirect location / ignore-empty set-cookie A=b if x
  http-request set-header X-A %ci if x
  http-request del-header X- -m beg if x
  http-request replace-path /a /b if x
  http-response set-status 503 reason Down unless x
  http-response replace-value X-A a %[src] if !{ ANON }
  http-response deny status 502 content-type a/b lf-string "%ci" hdr A b if x
  http-response return status 503 errorfile PAGE if x
  http-response redirect location / code 301 drop-query append-slash ignore-empty clear-cookie A if x
  http-response del-header X- -m beg if x
  use_backend app unless x
  use_backend sorry if !{ ANON } or x
  default_backend app
frontend plain
  log global
  option tcplog
  option tcp-smart-accept
  default_backend tcp
listen both
  mode http
  bind 127.0.0.1:90
  server s 127.0.0.1:91
backend app
  mode http
  log 127.0.0.1:99 len 2000 format iso local0 info err
  log [fe80::1%eth0]:9 local0
  log loghost:9 local0
  log file@/l local0
  log /dev/log local0
  balance hdr(host) use_domain_only
  retries 5
  option redispatch 2
  option allbackups
  option http-pretend-keepalive
  option persist
  option tcp-smart-connect
  option httpclose
  option forwardfor except 10.0.0.0/8 header X-F if-none
  timeout connect 1s
  timeout server 2s
  timeout server-fin 3s
  timeout tunnel 4s
  timeout check 5s
  timeout queue 6s
  errorfile 503 PAGE
  errorloc302 502 /sorry
  option httpchk GET /check HTTP/1.1
  http-check send hdr Host example.org hdr A b hdr C d body text
  http-check expect ! status 200,300-399
  http-check disable-on-404
  cookie C insert indirect nocache postonly preserve httponly secure domain a domain b attr x attr y maxidle 5s maxlife 6s
  acl x req.hdr(host),field(1,:) -i -m str -f /pattern a b
  acl x src 10.0.0.1
  http-request deny unless x
  http-request deny status 429 content-type text/plain string busy hdr A b if !x
  http-request return status 200 content-type a/b lf-string "%ci" hdr A b if x
  http-request return status 503 errorfile PAGE if x
  http-request redirect prefix / code 301 drop-query append-slash clear-cookie A if !{ ANON }
  http-request redirect location / ignore-empty set-cookie A=b if x
  http-request set-header X-A %ci if x
  http-request del-header X- -m beg if x
  http-request replace-path /a /b if x
  http-response set-status 503 reason Down unless x
  http-response replace-value X-A a %[src] if !{ ANON }
  http-response deny status 502 content-type a/b lf-string "%ci" hdr A b if x
  http-response return status 503 errorfile PAGE if x
  http-response redirect location / code 301 drop-query append-slash ignore-empty clear-cookie A if x
  http-response del-header X- -m beg if x
  server s1 10.0.0.1:80 weight 10 check inter 1s fastinter 2s downinter 3s rise 4 fall 5 cookie a tfo
  server s2 [fe80::1%eth0]:80 backup disabled
  server s3 name.example:80
  server s4 /run/s4.sock
  server s5 abns@s5
backend sorry
  mode http
  cookie C rewrite
  option httpchk GET /check HTTP/1.1 example.org
backend tcp
  cookie C prefix
  server s1 10.0.0.1:80
backend pages
  mode http
  cookie C prefix
`
