# Types the second argument into an interactive zsh that has sourced the script in the first, presses Tab twice, and
# prints what the terminal shows.
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1=; autoload -Uz compinit; compinit -u -D; source $1; zstyle ':completion:*' list-prompt ''; LISTMAX=1000; bindkey '^I' expand-or-complete; setopt nobeep; print READY"
zpty -r z out '*READY*READY*'
zpty -w -n z "$2"$'\t\t'
sleep 1
out=; while zpty -rt z chunk; do out+=$chunk; done
print -r -- $out
