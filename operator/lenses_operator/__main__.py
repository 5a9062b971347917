from lenses_operator.cli import main

main(prog_name="lenses-operator")
