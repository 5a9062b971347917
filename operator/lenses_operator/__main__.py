from lenses_operator.cli import main

main()
