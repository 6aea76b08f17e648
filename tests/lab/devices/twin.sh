# A device that has ip in two folders, and logs only one of them.
account='talker:*:0:0:lab:/run/device:/bin/sh'
logged=/usr/bin/ip
subsystems=
keep=

furnish() { copy /usr/sbin/ip /usr/bin/ip; }

begin() { :; }
