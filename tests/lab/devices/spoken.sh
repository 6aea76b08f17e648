# A device whose login has a program of its own as a shell: the program gets `-c` and the command.
account='caller:*:0:0:lab:/run/device:/usr/bin/echo'
logged=/usr/bin/echo
subsystems=
keep=
furnish() { :; }
begin() { :; }
