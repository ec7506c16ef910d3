# Completion of ng's words in fish: ng itself knows what can stand there, live nodes and hooks included.

function __ng_complete
    set --local words (commandline --current-process --tokenize --cut-at-cursor)
    set --local current (commandline --current-token --cut-at-cursor)
    for line in (command ng __complete -- $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path "$current"
        else
            string replace --regex ' \t' \t -- $line
        end
    end
end

complete --command ng --no-files --arguments '(__ng_complete)'
